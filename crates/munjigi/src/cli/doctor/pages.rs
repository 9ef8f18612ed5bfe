//! The pages can be loaded as they are configured.

use super::chain;
use super::report::Report;
use crate::config::Config;
use crate::pages::{Pages, Site};

const CHECK: &str = "pages";

pub(super) fn check(config: &Config, report: &mut Report) {
    let site = Site { name: config.pages.name.clone(), base_path: config.server.base_path.clone() };
    match Pages::new(site) {
        Ok(pages) => {
            let tags: Vec<_> = pages.languages().iter().map(|(_, language)| language.tag.clone()).collect();
            report.ok(CHECK, format!("they load, in {}", super::listed(&tags)));
        }
        Err(error) => {
            report.wrong(CHECK, chain(&error), "correct what is named there (pages.* in docs/configuration.md)")
        }
    }
}
