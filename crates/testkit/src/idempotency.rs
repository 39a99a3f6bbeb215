//! What every mutation that carries a `request_id` must do, as one suite.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::future::join_all;
use tonic::Status;
use uuid::Builder;

use crate::refusal::reason_of;

/// How many callers send the same request at once.
pub const TWINS: usize = 8;

const REQUEST_ID_REUSED: &str = "REQUEST_ID_REUSED";

static REQUEST_IDS_MADE: AtomicU64 = AtomicU64::new(1);

/// Asserts that a mutation may be repeated; panics with what differed.
///
/// `call` sends a request with a `request_id` and one of three contents, numbered from 0, of which each can succeed after
/// those before it. `count_effects` counts what the method has done (rows, events): any number, the
/// same for each content and at least one.
///
/// Holds afterwards:
/// * a repeated request gets the first answer again and has no further effect;
/// * another content under a `request_id` that was used is refused with the reason `REQUEST_ID_REUSED` and has no effect;
/// * [`TWINS`] callers that send the same request at once all get the same answer, and the effect is there once.
pub async fn assert_repeatable<Response: PartialEq + Debug>(
    call: impl AsyncFn(String, usize) -> Result<Response, Status>,
    count_effects: impl AsyncFn() -> u64,
) {
    let request_id = new_request_id();
    let before = count_effects().await;
    let first = answered("the first request", call(request_id.clone(), 0).await);
    let after_first = count_effects().await;
    assert!(after_first > before, "the first request had no effect: {before} before it, {after_first} after it");
    let effects_per_request = after_first - before;

    let repeat = answered("the repeated request", call(request_id.clone(), 0).await);
    assert_eq!(repeat, first, "the repeated request (left) is not answered as the first was (right)");
    assert_effects("the repeated request", after_first, count_effects().await);

    match call(request_id.clone(), 1).await {
        Ok(answer) => panic!("another content under a used request_id must be refused, but the answer was {answer:?}"),
        Err(status) => assert_eq!(reason_of(&status), REQUEST_ID_REUSED, "another content is refused with {status:?}"),
    }
    assert_effects("the refused request", after_first, count_effects().await);

    let late_repeat = answered("the request repeated after a refusal", call(request_id, 0).await);
    assert_eq!(
        late_repeat, first,
        "after a refusal the repeated request (left) is not answered as the first was (right)"
    );

    let twins_id = new_request_id();
    let answers = join_all((0..TWINS).map(|_| call(twins_id.clone(), 2))).await;
    let answers: Vec<Response> = answers.into_iter().map(|answer| answered("a twin", answer)).collect();
    for answer in &answers {
        assert_eq!(answer, &answers[0], "twins are answered differently");
    }
    assert_effects(&format!("{TWINS} twins"), after_first + effects_per_request, count_effects().await);
}

#[track_caller]
fn answered<Response>(what: &str, answer: Result<Response, Status>) -> Response {
    answer.unwrap_or_else(|status| panic!("{what} failed with {status:?}"))
}

#[track_caller]
fn assert_effects(what: &str, expected: u64, found: u64) {
    assert_eq!(found, expected, "after {what} there are {found} effects (left) instead of {expected} (right)");
}

/// An id that looks random and is no other of this process.
fn new_request_id() -> String {
    let number = REQUEST_IDS_MADE.fetch_add(1, Ordering::Relaxed);
    Builder::from_random_bytes(u128::from(number).to_be_bytes()).into_uuid().to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::{Mutex, PoisonError};

    use tokio::task::yield_now;
    use tonic::Code;

    use super::*;
    use crate::refusal::refusal;

    /// What is wrong with a method.
    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Fault {
        Nothing,
        HasNoEffect,
        ForgetsRequests,
        AnswersRepeatsDifferently,
        IgnoresTheContent,
        RefusesWithoutAReason,
        LooksThenActs,
    }

    #[derive(Debug)]
    struct Method {
        fault: Fault,
        effects: AtomicU64,
        answers: Mutex<HashMap<String, (usize, u64)>>,
    }

    impl Method {
        fn recorded(&self, request_id: &str) -> Option<(usize, u64)> {
            self.answers.lock().unwrap_or_else(PoisonError::into_inner).get(request_id).copied()
        }

        async fn call(&self, request_id: String, content: usize) -> Result<u64, Status> {
            if self.fault != Fault::ForgetsRequests
                && let Some((recorded_content, answer)) = self.recorded(&request_id)
            {
                return match self.fault {
                    Fault::AnswersRepeatsDifferently => Ok(answer + 1),
                    Fault::IgnoresTheContent => Ok(answer),
                    Fault::RefusesWithoutAReason if recorded_content != content => Err(Status::aborted("no")),
                    _ if recorded_content != content => Err(refusal(Code::InvalidArgument, REQUEST_ID_REUSED)),
                    _ => Ok(answer),
                };
            }
            if self.fault == Fault::LooksThenActs {
                yield_now().await;
            }
            let step = u64::from(self.fault != Fault::HasNoEffect);
            let answer = self.effects.fetch_add(step, Ordering::Relaxed);
            self.answers.lock().unwrap_or_else(PoisonError::into_inner).insert(request_id, (content, answer));
            Ok(answer)
        }
    }

    async fn run_suite(fault: Fault) {
        let method = Method { fault, effects: AtomicU64::new(0), answers: Mutex::default() };
        let count = async || method.effects.load(Ordering::Relaxed);
        assert_repeatable(async |request_id, content| method.call(request_id, content).await, count).await;
    }

    /// What the suite says of a faulty method.
    fn verdict(fault: Fault) -> String {
        let run = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            runtime.block_on(run_suite(fault));
        });
        let panic = run.join().expect_err("the suite lets the fault pass");
        panic.downcast_ref::<String>().cloned().expect("a message")
    }

    #[tokio::test]
    async fn a_proper_method_passes() {
        run_suite(Fault::Nothing).await;
    }

    #[test]
    fn each_fault_is_found_and_described() {
        let verdicts = [
            (Fault::HasNoEffect, "the first request had no effect"),
            (Fault::ForgetsRequests, "the repeated request (left) is not answered as the first was (right)"),
            (Fault::AnswersRepeatsDifferently, "the repeated request (left) is not answered"),
            (Fault::IgnoresTheContent, "another content under a used request_id must be refused"),
            (Fault::RefusesWithoutAReason, "another content is refused with"),
            (Fault::LooksThenActs, "twins are answered differently"),
        ];
        for (fault, expected) in verdicts {
            let said = verdict(fault);
            assert!(said.contains(expected), "{fault:?}: {said}");
        }
    }

    #[test]
    fn request_ids_differ_and_are_uuids() {
        let (one, two) = (new_request_id(), new_request_id());
        assert_ne!(one, two);
        assert!(uuid::Uuid::parse_str(&one).is_ok());
    }
}
