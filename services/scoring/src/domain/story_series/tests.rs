//! What stories enter into days, and what is read of them.

use proptest::prelude::*;

use super::*;

fn at(day: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(day)
}

#[test]
fn rows_are_read_as_they_are_stored() {
    for series in StorySeries::ALL {
        for row in [StoryRow::Sum(series), StoryRow::Count(series)] {
            assert_eq!(StoryRow::parse(row.name()), Some(row));
        }
        assert_eq!(serde_json::to_value(series).expect("JSON"), series.name(), "one name everywhere");
    }
    assert_eq!(StoryRow::parse("tickets"), None);
}

fn days_of(entries: &DayEntries, wanted: StorySeries) -> StoryDays {
    let mut days = StoryDays::default();
    for (row, day, amount) in entries.amounts() {
        let (StoryRow::Sum(series) | StoryRow::Count(series)) = row;
        if series == wanted {
            days.add(row, &[(day, amount)]);
        }
    }
    days
}

#[test]
fn what_lasts_is_counted_at_the_end_of_each_day() {
    let mut entries = DayEntries::default();
    entries.span(StorySeries::TicketsOpen, at(3), Some(at(5)));
    entries.span(StorySeries::TicketsOpen, at(4), None);
    entries.span(StorySeries::TicketsOpen, at(4), Some(at(4)));
    let days = days_of(&entries, StorySeries::TicketsOpen);
    let open: Vec<i64> = (2..7).map(|day| days.open_at(day)).collect();
    assert_eq!(open, [0, 1, 2, 1, 1]);
    assert_eq!((days.most_open(5, 7), days.most_open(3, 7), days.most_open(0, 2)), (1, 2, 0));
}

#[test]
fn figures_have_their_mean() {
    let mut entries = DayEntries::default();
    for (day, value) in [(1, 4.0), (1, 2.0), (3, -0.5)] {
        entries.value(StorySeries::TicketSentiment, at(day), value);
    }
    let days = days_of(&entries, StorySeries::TicketSentiment);
    assert_eq!(days.mean(1, 1), Some(3.0));
    assert_eq!(days.mean(2, 3), Some(-0.5));
    assert_eq!(days.mean(4, 9), None);
    assert_eq!(days.newest_value_day(2), Some(1));
}

fn entries() -> impl Strategy<Value = DayEntries> {
    let one = (0usize..StorySeries::ALL.len(), 0i64..10, 0i64..10, -50i32..50);
    proptest::collection::vec(one, 0..12).prop_map(|all| {
        let mut entries = DayEntries::default();
        for (index, from, length, value) in all {
            let series = StorySeries::ALL[index];
            match series.shape() {
                Shape::Count => entries.count(series, at(from)),
                Shape::Open => entries.span(series, at(from), (length < 8).then(|| at(from + length))),
                Shape::Value => entries.value(series, at(from), f64::from(value) / 10.0),
            }
        }
        entries
    })
}

proptest! {
    #[test]
    fn steps_from_one_to_the_next_add_up_to_the_last(all in proptest::collection::vec(entries(), 1..6)) {
        let mut sums: BTreeMap<(StoryRow, DayNumber), i64> = BTreeMap::new();
        let mut before = DayEntries::default();
        for entries in &all {
            for (row, day, amount) in entries.minus(&before).amounts() {
                *sums.entry((row, day)).or_default() += amount;
            }
            before = entries.clone();
        }
        sums.retain(|_, amount| *amount != 0);
        prop_assert_eq!(DayEntries(sums), before);
    }
}
