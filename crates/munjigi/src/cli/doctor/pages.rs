//! The pages are right as they are configured: what `munjigi pages check` says.

use super::report::Report;
use crate::config::Config;
use crate::pages::Pages;

const CHECK: &str = "pages";
const MEND: &str = "correct what is named there (`munjigi pages check` shows all of it; docs/pages.md)";

pub(super) fn check(config: &Config, report: &mut Report) {
    let found = Pages::check(&config.site());
    found.faults().for_each(|fault| report.wrong(CHECK, fault.to_string(), MEND));
    found.warnings().for_each(|warning| report.warning(CHECK, warning.to_string(), MEND));
    if found.faults().chain(found.warnings()).next().is_none() {
        report.ok(CHECK, format!("{} rendered, every state in every language", found.rendered));
    }
}
