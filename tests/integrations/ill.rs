//! What every vendor's tools do when the vendor fails: what is repeated, what is not, and what the caller is told.

use serde_json::Value;
use switchboard::tool::Kind;

use crate::desk::Desk;

/// The tools of one vendor, by what a repeat does.
pub trait Story {
    /// What the vendor is called in messages.
    const TITLE: &'static str;
    /// What only looks.
    const READS: &'static [&'static str];
    /// What would be done twice if it were asked for twice.
    const ONCE: &'static [&'static str];
    /// What may be asked for twice.
    const KEYED: &'static [&'static str];

    /// Begins anew, with everything remembered that a tool looks up first, and the yes there. Returns the arguments.
    async fn ready(desk: &mut Desk, tool: &str) -> Value;

    /// A tool that reads before it writes loses more answers than one.
    fn answers(_tool: &str) -> u32 {
        1
    }
}

fn writes<S: Story>() -> impl Iterator<Item = &'static str> {
    S::ONCE.iter().chain(S::KEYED).copied()
}

fn all<S: Story>() -> impl Iterator<Item = &'static str> {
    S::READS.iter().copied().chain(writes::<S>())
}

pub async fn every_tool_works_before_anything_fails<S: Story>(mut desk: Desk) {
    for tool in all::<S>() {
        let arguments = S::ready(&mut desk, tool).await;
        desk.ok(tool, arguments).await;
        assert_eq!(desk.changes(), usize::from(!S::READS.contains(&tool)), "{tool}");
    }
}

pub async fn a_limit_is_waited_out_or_passed_on<S: Story>(mut desk: Desk, limit: &str) {
    for tool in all::<S>() {
        let arguments = S::ready(&mut desk, tool).await;
        desk.fault(&format!("{limit}:1"));
        desk.ok(tool, arguments).await;
        let arguments = S::ready(&mut desk, tool).await;
        desk.fault(limit);
        let error = desk.refused(tool, arguments).await;
        assert_eq!(error.kind(), Kind::Busy, "{tool}: {error}");
        assert!(error.retry_after().is_some(), "{tool}: {error}");
        assert_eq!(desk.changes(), 0, "{tool}");
    }
}

pub async fn one_failure_is_not_noticed_where_a_repeat_is_safe<S: Story>(mut desk: Desk) {
    for tool in S::READS.iter().chain(S::KEYED) {
        let arguments = S::ready(&mut desk, tool).await;
        desk.fault("500:1");
        desk.ok(tool, arguments).await;
    }
    for tool in S::ONCE {
        let arguments = S::ready(&mut desk, tool).await;
        desk.fault("500:1");
        let error = desk.refused(tool, arguments).await;
        assert!(error.to_string().contains("look before you repeat it"), "{tool}: {error}");
        assert_eq!(desk.changes(), 0, "{tool}");
    }
}

pub async fn a_vendor_that_stays_down_is_told_from_a_wrong_call<S: Story>(mut desk: Desk) {
    for tool in all::<S>() {
        let arguments = S::ready(&mut desk, tool).await;
        desk.fault("500");
        let error = desk.refused(tool, arguments).await;
        assert_eq!(error.kind(), Kind::Vendor, "{tool}: {error}");
        assert!(error.to_string().contains(&format!("{} failed.", S::TITLE)), "{tool}: {error}");
    }
}

pub async fn an_answer_that_is_lost_never_does_the_work_twice<S: Story>(mut desk: Desk) {
    for fault in ["reset", "malformed"] {
        for tool in S::ONCE {
            let arguments = S::ready(&mut desk, tool).await;
            desk.fault(&format!("{fault}:1"));
            let error = desk.refused(tool, arguments).await;
            assert!(error.to_string().contains("look before you repeat it"), "{tool} {fault}: {error}");
            assert_eq!(desk.changes(), 1, "{tool} {fault}");
        }
        for tool in S::KEYED {
            let arguments = S::ready(&mut desk, tool).await;
            desk.fault(&format!("{fault}:{}", S::answers(tool)));
            desk.ok(tool, arguments).await;
            assert_eq!(desk.changes(), 1, "{tool} {fault}");
        }
    }
}

pub async fn answers_to_questions_survive_a_torn_line<S: Story>(mut desk: Desk) {
    for fault in ["reset", "malformed"] {
        for tool in S::READS {
            let arguments = S::ready(&mut desk, tool).await;
            desk.fault(&format!("{fault}:1"));
            desk.ok(tool, arguments).await;
        }
    }
}

pub async fn a_refused_sign_in_asks_for_a_new_one<S: Story>(mut desk: Desk) {
    for tool in all::<S>() {
        let arguments = S::ready(&mut desk, tool).await;
        desk.fault("401");
        let error = desk.refused(tool, arguments).await;
        assert_eq!(error.kind(), Kind::Expired, "{tool}: {error}");
        assert_eq!(desk.changes(), 0, "{tool}");
    }
}

/// Tells the parts of the story that hold for every vendor, each as a test of its own.
macro_rules! is_told_of {
    ($story:ty) => {
        crate::ill::is_told_of! { $story: every_tool_works_before_anything_fails
            one_failure_is_not_noticed_where_a_repeat_is_safe a_vendor_that_stays_down_is_told_from_a_wrong_call
            an_answer_that_is_lost_never_does_the_work_twice answers_to_questions_survive_a_torn_line
            a_refused_sign_in_asks_for_a_new_one }
    };
    ($story:ty: $($part:ident)*) => {
        $(
            #[tokio::test]
            async fn $part() {
                crate::ill::$part::<$story>(open().await).await;
            }
        )*
    };
}
pub(crate) use is_told_of;
