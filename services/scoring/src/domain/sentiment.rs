//! What speaks from a text.
//!
//! By VADER (Hutto and Gilbert 2014): a lexicon of words rated by people, with rules for negation, emphasis and contrast. It knows
//! English only, and words of other languages that look like English ones would mislead it, as the German "die" does.

use std::borrow::Cow;
use std::sync::LazyLock;

use vader_sentimental::SentimentIntensityAnalyzer;

use super::english::is_plausibly_english;

/// Reading the lexicon takes some milliseconds.
static ANALYZER: LazyLock<SentimentIntensityAnalyzer<'static>> = LazyLock::new(SentimentIntensityAnalyzer::new);

/// From -1 (frustrated) to 1 (content); none when no word of the text says either, as in plain questions, and of a text that is not
/// plausibly English.
pub(super) fn sentiment(text: &str) -> Option<f64> {
    if !is_plausibly_english(text) {
        return None;
    }
    let found = ANALYZER.polarity_scores(&with_no_as_negation(text));
    // Without a word that is rated, marks such as `?` alone would count.
    let says_something = found.pos > 0.0 || found.neg > 0.0;
    says_something.then(|| found.compound.clamp(-1.0, 1.0)).filter(|sentiment| sentiment.is_finite())
}

/// "no" stands for itself in "Oh no", and negates in "no problem": VADER has it negate a rated word that follows it within two words.
/// The crate knows it for itself only, and "not" as what negates.
fn with_no_as_negation(text: &str) -> Cow<'_, str> {
    let is_no = |word: &str| word.eq_ignore_ascii_case("no");
    let words: Vec<&str> = text.split_whitespace().collect();
    if !words.iter().any(|word| is_no(word)) {
        return Cow::Borrowed(text);
    }
    let negates = |place: usize| words.iter().skip(place + 1).take(2).any(|word| is_rated(word));
    let word = |(place, word): (usize, &&str)| if is_no(word) && negates(place) { "not" } else { *word }.to_owned();
    Cow::Owned(words.iter().enumerate().map(word).collect::<Vec<String>>().join(" "))
}

fn is_rated(word: &str) -> bool {
    let found = ANALYZER.polarity_scores(word);
    found.pos > 0.0 || found.neg > 0.0
}

#[cfg(test)]
mod tests {
    use super::super::frustration::FRUSTRATED_AT_MOST;
    use super::*;

    #[test]
    fn r64_frustration_is_told_from_content_and_from_what_says_neither() {
        let frustrated = sentiment("The third time our exports fail. We are really frustrated!").expect("it is said");
        let content = sentiment("Thanks, works great now").expect("it is said");
        assert!(frustrated < -0.5 && content > 0.5, "{frustrated} {content}");
        for plain in ["", "How do I change my password?", "!!!!", "\0", "Wie ändere ich mein Passwort?"] {
            assert_eq!(sentiment(plain), None, "{plain}");
        }
    }

    #[test]
    fn no_negates_what_follows_and_else_stands_for_itself() {
        let of = |text: &str| sentiment(text).expect("it says something");
        assert!(of("There is no good reason for this") < 0.0 && of("There is a good reason for this") > 0.0);
        assert!(of("No problem, it was easy for us") > of("A problem, it was easy for us"));
        assert!(of("Oh no, it is gone again and we have to wait") < 0.0);
        let plain = "Is there a way to do it?\n  And where?";
        assert_eq!(with_no_as_negation(plain), plain, "left as it is");
    }

    #[test]
    fn of_other_languages_nothing_is_told() {
        for other in [
            "Die Rechnung ist falsch und niemand antwortet.",
            "Sind die Daten sicher?",
            "Danke, super!",
            "C'est un grave problème pour nous",
            "No puedo iniciar sesión",
        ] {
            assert_eq!(sentiment(other), None, "{other}");
        }
    }

    /// People's ratings, -4 to 4, and what is found of the same texts.
    fn rated(file: &str) -> Vec<(f64, f64)> {
        let path = format!("{}/tests/data/vader/{file}", env!("CARGO_MANIFEST_DIR"));
        let text = String::from_utf8_lossy(&std::fs::read(path).expect("the file")).into_owned();
        text.lines()
            .map(|line| {
                let mut columns = line.splitn(3, '\t').skip(1);
                let rating = columns.next().and_then(|rating| rating.trim().parse().ok()).expect("a rating");
                (rating, sentiment(columns.next().expect("a text")).unwrap_or(0.0))
            })
            .collect()
    }

    /// Pearson's correlation with the people's ratings.
    fn agreement(file: &str) -> f64 {
        let pairs = rated(file);
        let count = pairs.len() as f64;
        let mean = |pick: fn(&(f64, f64)) -> f64| pairs.iter().map(pick).sum::<f64>() / count;
        let (mean_rating, mean_found) = (mean(|pair| pair.0), mean(|pair| pair.1));
        let sum = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
            pairs.iter().map(|(rating, found)| of(rating - mean_rating, found - mean_found)).sum()
        };
        sum(&|rating, found| rating * found)
            / (sum(&|rating, _| rating * rating) * sum(&|_, found| found * found)).sqrt()
    }

    /// Of the texts that are taken for frustrated, the share that people rated as clearly negative.
    fn frustrated_precision(file: &str) -> f64 {
        let frustrated: Vec<f64> = rated(file)
            .into_iter()
            .filter(|(_, found)| *found <= FRUSTRATED_AT_MOST)
            .map(|(rating, _)| rating)
            .collect();
        frustrated.iter().filter(|rating| **rating <= -1.0).count() as f64 / frustrated.len() as f64
    }

    #[test]
    fn r64_what_is_taken_for_frustrated_most_people_call_negative() {
        let (tweets, reviews) = (
            frustrated_precision("tweets_GroundTruth.txt"),
            frustrated_precision("amazonReviewSnippets_GroundTruth.txt"),
        );
        assert!((tweets - 0.84).abs() < 0.01, "tweets {tweets}");
        assert!((reviews - 0.79).abs() < 0.01, "reviews {reviews}");
    }

    #[test]
    fn r64_it_agrees_with_people_nearly_as_the_reference_does() {
        // The Python package gets 0.872 and 0.590 on the same texts.
        let (tweets, reviews) =
            (agreement("tweets_GroundTruth.txt"), agreement("amazonReviewSnippets_GroundTruth.txt"));
        assert!((tweets - 0.869).abs() < 0.005, "tweets {tweets}");
        assert!((reviews - 0.588).abs() < 0.005, "reviews {reviews}");
    }
}
