//! The table against a model of it in memory, under random sequences of what can happen to jobs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use mainstay_jobs::{Job, JobError, JobHandler, Outcome, RetryPolicy};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sqlx::PgConnection;

use crate::fixture::{Fixture, QUEUE};

const KEYS: [&str; 4] = ["a", "b", "c", "d"];
const ATTEMPTS_MAX: u32 = 2;
const BACKOFF: TimeDelta = TimeDelta::minutes(10);

#[derive(Debug, Clone)]
enum Step {
    Schedule {
        key: usize,
        minutes: i64,
        low_mark: Option<i64>,
    },
    Mark {
        keys: Vec<usize>,
        minutes: i64,
        low_mark: i64,
    },
    Cancel {
        key: usize,
    },
    Requeue {
        key: usize,
    },
    Turn {
        minutes: i64,
    },
    /// Runs what is due; the handler does to each key what its answer says.
    Run {
        answers: [Answer; 4],
    },
}

#[derive(Debug, Clone, Copy)]
enum Answer {
    Done,
    Again {
        minutes: i64,
        low_mark: Option<i64>,
    },
    Fail,
    Die,
    /// Schedules the job with this mark and then says it is done.
    Itself {
        minutes: i64,
        low_mark: i64,
    },
}

#[derive(Debug, Clone, PartialEq)]
struct Row {
    due_at: DateTime<Utc>,
    low_mark: Option<i64>,
    attempts: u32,
    dead: bool,
}

type Rows = BTreeMap<String, Row>;

fn joined(row: Option<&Row>, due_at: DateTime<Utc>, low_mark: Option<i64>) -> Row {
    match row {
        None => Row { due_at, low_mark, attempts: 0, dead: false },
        Some(row) => Row {
            due_at: match row {
                Row { dead: true, .. } => due_at,
                Row { attempts: 0, .. } => row.due_at.min(due_at),
                _ => row.due_at,
            },
            low_mark: row.low_mark.into_iter().chain(low_mark).min(),
            attempts: if row.dead { 0 } else { row.attempts },
            dead: false,
        },
    }
}

fn answered(row: &Row, answer: Answer, now: DateTime<Utc>) -> Option<Row> {
    match answer {
        Answer::Done => None,
        Answer::Again { minutes, low_mark } => {
            Some(Row { due_at: now + TimeDelta::minutes(minutes), low_mark, attempts: 0, dead: false })
        }
        Answer::Fail if row.attempts + 1 < ATTEMPTS_MAX => {
            Some(Row { due_at: now + BACKOFF, attempts: row.attempts + 1, ..row.clone() })
        }
        Answer::Fail | Answer::Die => Some(Row { attempts: row.attempts + 1, dead: true, ..row.clone() }),
        Answer::Itself { minutes, low_mark } => {
            Some(Row { attempts: 0, ..joined(Some(row), now + TimeDelta::minutes(minutes), Some(low_mark)) })
        }
    }
}

/// Answers each job once in a run: what a job that comes again in the same run gets is `Done`.
struct Scripted {
    fixture: Arc<Fixture>,
    batch_size: i64,
    answers: Mutex<BTreeMap<String, Answer>>,
}

#[async_trait::async_trait]
impl JobHandler for Scripted {
    fn queue(&self) -> &'static str {
        QUEUE
    }

    fn batch_size(&self) -> i64 {
        self.batch_size
    }

    fn retry_policy(&self) -> RetryPolicy {
        RetryPolicy {
            attempts_max: ATTEMPTS_MAX,
            base: BACKOFF.to_std().expect("positive"),
            jitter: 0.0,
            ..RetryPolicy::default()
        }
    }

    async fn run(&self, connection: &mut PgConnection, jobs: &[Job]) -> Result<Vec<Outcome>, JobError> {
        let answers: Vec<Option<Answer>> =
            jobs.iter().map(|job| self.answers.lock().expect("not poisoned").get(&job.key).copied()).collect();
        let now = self.fixture.now();
        let mut outcomes = Vec::new();
        for (job, answer) in jobs.iter().zip(&answers) {
            outcomes.push(match *answer {
                None | Some(Answer::Done) => Outcome::Done,
                Some(Answer::Again { minutes, low_mark }) => {
                    Outcome::Again { due_at: now + TimeDelta::minutes(minutes), low_mark, payload: None }
                }
                Some(Answer::Fail) => return Err(JobError::Retry("failed".to_owned())),
                Some(Answer::Die) => return Err(JobError::Dead("died".to_owned())),
                Some(Answer::Itself { minutes, low_mark }) => {
                    let due_at = now + TimeDelta::minutes(minutes);
                    self.fixture.jobs.schedule_marks(connection, QUEUE, &[&job.key], &[low_mark], due_at, now).await?;
                    Outcome::Done
                }
            });
        }
        let mut left = self.answers.lock().expect("not poisoned");
        for job in jobs {
            left.remove(&job.key);
        }
        Ok(outcomes)
    }
}

/// What a run makes of the rows: each due job gets its answer, and what is due after that is done.
fn run_model(rows: &mut Rows, answers: [Answer; 4], now: DateTime<Utc>) {
    for (key, answer) in KEYS.iter().zip(answers) {
        let Some(row) = rows.get(*key).filter(|row| !row.dead && row.due_at <= now) else { continue };
        match answered(row, answer, now).filter(|row| row.dead || row.due_at > now) {
            Some(row) => rows.insert((*key).to_owned(), row),
            None => rows.remove(*key),
        };
    }
}

async fn step(fixture: &Arc<Fixture>, rows: &mut Rows, step: Step, batch_size: i64) {
    let now = fixture.now();
    let mut connection = fixture.pool().acquire().await.expect("a connection");
    match step {
        Step::Schedule { key, minutes, low_mark } => {
            let due_at = now + TimeDelta::minutes(minutes);
            fixture.schedule_on(&mut connection, KEYS[key], due_at, low_mark).await;
            rows.insert(KEYS[key].to_owned(), joined(rows.get(KEYS[key]), due_at, low_mark));
        }
        Step::Mark { keys, minutes, low_mark } => {
            let due_at = now + TimeDelta::minutes(minutes);
            let keys: Vec<&str> = keys.iter().map(|key| KEYS[*key]).collect();
            let marks = vec![low_mark; keys.len()];
            fixture.jobs.schedule_marks(&mut connection, QUEUE, &keys, &marks, due_at, now).await.expect("marked");
            for key in keys {
                rows.insert(key.to_owned(), joined(rows.get(key), due_at, Some(low_mark)));
            }
        }
        Step::Cancel { key } => {
            let cancelled = fixture.jobs.cancel(&mut connection, QUEUE, &[KEYS[key]]).await.expect("cancelled");
            assert_eq!(cancelled, u64::from(rows.remove(KEYS[key]).is_some()));
        }
        Step::Requeue { key } => {
            let requeued = fixture.jobs.requeue(fixture.pool(), QUEUE, KEYS[key], now, now).await.expect("requeued");
            let row = rows.get_mut(KEYS[key]).filter(|row| row.dead);
            assert_eq!(requeued, row.is_some());
            if let Some(row) = row {
                *row = Row { due_at: now, low_mark: row.low_mark, attempts: 0, dead: false };
            }
        }
        Step::Turn { minutes } => fixture.clock.advance(TimeDelta::minutes(minutes)),
        Step::Run { answers } => {
            let script = KEYS.iter().map(|key| (*key).to_owned()).zip(answers).collect();
            let handler = Scripted { fixture: Arc::clone(fixture), batch_size, answers: Mutex::new(script) };
            let runner = fixture.runner(fixture.pool(), 2).with(Arc::new(handler));
            runner.run_due().await.expect("run");
            run_model(rows, answers, now);
        }
    }
}

async fn rows_of(fixture: &Fixture) -> Rows {
    let records = fixture.records().await.into_iter();
    records
        .map(|record| {
            let row = Row {
                due_at: record.due_at,
                low_mark: record.low_mark,
                attempts: record.attempts,
                dead: record.dead_at.is_some(),
            };
            (record.key, row)
        })
        .collect()
}

fn answers() -> impl Strategy<Value = Answer> {
    prop_oneof![
        Just(Answer::Done),
        (0i64..30, proptest::option::of(0i64..9)).prop_map(|(minutes, low_mark)| Answer::Again { minutes, low_mark }),
        Just(Answer::Fail),
        Just(Answer::Die),
        (0i64..30, 0i64..9).prop_map(|(minutes, low_mark)| Answer::Itself { minutes, low_mark }),
    ]
}

fn steps() -> impl Strategy<Value = Step> {
    let key = 0..KEYS.len();
    prop_oneof![
        3 => (key.clone(), -5i64..30, proptest::option::of(0i64..9))
            .prop_map(|(key, minutes, low_mark)| Step::Schedule { key, minutes, low_mark }),
        2 => (proptest::collection::vec(key.clone(), 0..6), -5i64..30, 0i64..9)
            .prop_map(|(keys, minutes, low_mark)| Step::Mark { keys, minutes, low_mark }),
        1 => key.clone().prop_map(|key| Step::Cancel { key }),
        1 => key.prop_map(|key| Step::Requeue { key }),
        3 => (0i64..20).prop_map(|minutes| Step::Turn { minutes }),
        4 => proptest::array::uniform4(answers()).prop_map(|answers| Step::Run { answers }),
    ]
}

#[test]
fn jobs_are_what_the_model_says_whatever_happens_to_them() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let fixture = Arc::new(runtime.block_on(Fixture::new()));
    let scenario = (proptest::collection::vec(steps(), 1..25), 1i64..5);
    let config = Config { cases: 60, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&scenario, |(steps, batch_size)| {
            runtime.block_on(async {
                sqlx::raw_sql("TRUNCATE jobs_test.jobs").execute(fixture.pool()).await.expect("emptied");
                let mut rows = Rows::new();
                for next in steps {
                    let told = format!("{next:?}");
                    step(&fixture, &mut rows, next, batch_size).await;
                    prop_assert_eq!(&rows_of(&fixture).await, &rows, "after {}", told);
                }
                Ok(())
            })
        })
        .unwrap();
}
