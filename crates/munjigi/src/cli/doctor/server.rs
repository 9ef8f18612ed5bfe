//! Whether a server runs on this machine, and is ready.

use serde_json::Value;
use url::Url;

use super::report::Report;
use super::{chain, wire};
use crate::config::Config;

const CHECK: &str = "server";

/// Who listens at `server.listen`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Running {
    Here,
    Nobody,
}

pub(super) async fn check(config: &Config, report: &mut Report) -> Running {
    let mut address = config.server.listen;
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() });
    }
    let url = (address.port() != 0).then(|| Url::parse(&format!("http://{address}/readyz")).ok()).flatten();
    let Some(url) = url else {
        report.skipped(CHECK, "server.listen leaves the port to the system, so it is not known where it listens");
        return Running::Nobody;
    };
    let answer = match wire::get(&url, &[]).await {
        Ok(answer) => answer,
        Err(error) if error.is_refusal() => {
            report.skipped(CHECK, format!("nobody listens at {address} (server.listen): `munjigi serve` starts it"));
            return Running::Nobody;
        }
        Err(error) => {
            let what = format!("what listens at {address} (server.listen) is no Munjigi: {}", chain(&error));
            report.wrong(CHECK, what, "stop it, or choose another port in server.listen");
            return Running::Nobody;
        }
    };
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    match body.get("checks").and_then(Value::as_object) {
        Some(_) if answer.status() == 200 => report.ok(CHECK, format!("one runs at {address}, and is ready")),
        Some(checks) => {
            let wrong = checks.iter().filter(|(_, said)| *said != "ok");
            let wrong: Vec<_> =
                wrong.map(|(name, said)| format!("{name}: {}", said.as_str().unwrap_or_default())).collect();
            let what = format!("one runs at {address}, and is not ready: {}", super::listed(&wrong));
            report.wrong(CHECK, what, "its log has the cause (docs/operations.md, \"Readiness\")");
        }
        None => {
            let what =
                format!("what listens at {address} (server.listen) is no Munjigi: it answers {}", answer.status());
            report.wrong(CHECK, what, "stop it, or choose another port in server.listen");
            return Running::Nobody;
        }
    }
    Running::Here
}
