//! Clocks: this machine's against the server's, and against whoever answers at the public URL.

use munjigi_gate::Clock;
use munjigi_rules::Timestamp;

use super::off_by;
use super::public::Seen;
use super::report::{Report, Verdict};

const CHECK: &str = "clock";
/// Within so many milliseconds nothing is said: a `Date` has whole seconds, and an answer is under way for a while.
const FINE: u64 = 3_000;
/// Beyond so many a node issues nothing.
const TOO_FAR: u64 = 30_000;

/// Says how far somebody's clock is ahead of this machine's, in milliseconds.
pub(super) fn judge(whose: &str, ahead: i64, report: &mut Report) {
    let far = ahead.unsigned_abs();
    let verdict = match far {
        far if far <= FINE => Verdict::Ok,
        far if far <= TOO_FAR => Verdict::Warning,
        _ => Verdict::Wrong,
    };
    let (seconds, side) = (far / 1000, if ahead > 0 { "behind" } else { "ahead of" });
    let what = match verdict {
        Verdict::Ok => format!("this machine and {whose} agree"),
        _ => format!("this machine is {seconds} s {side} {whose}"),
    };
    report.judged(
        verdict,
        CHECK,
        what,
        "set the clocks right, for example by chrony or systemd-timesyncd, and restart the server",
    );
}

pub(super) fn check(seen: &Seen, clock: &dyn Clock, report: &mut Report) {
    judge("the server", off_by(Timestamp::from_millis(seen.sight.now), clock), report);
    match seen.date() {
        Some(date) => judge("the public URL", off_by(date, clock), report),
        None => report.skipped(CHECK, "the answer of the public URL has no Date"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_off_is_warned_of_and_one_that_stops_the_server_is_wrong() {
        for (ahead, wrong, complaints) in [
            (0, false, 0),
            (-3_000, false, 0),
            (3_001, false, 1),
            (-30_000, false, 1),
            (30_001, true, 1),
            (-90_000, true, 1),
        ] {
            let mut report = Report::default();
            judge("Redis", ahead, &mut report);
            assert_eq!((report.is_wrong(), report.complaints()), (wrong, complaints), "{ahead}");
        }
    }
}
