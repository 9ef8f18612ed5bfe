//! What tests are told in: a [`Site`] in this process or a [`Process`] of its own, and [`Browser`]s that visit it.

mod browser;
mod clock;
mod metrics;
mod place;
mod redis_server;
mod reply;
mod site;
mod tokens;

pub(crate) use browser::{Browser, application};
pub(crate) use clock::HandClock;
pub(crate) use metrics::Metrics;
pub(crate) use place::{Place, Process, Ran};
pub(crate) use redis_server::{RedisServer, tls};
pub(crate) use reply::Reply;
pub(crate) use site::Site;
pub(crate) use tokens::{claims_of, forged_by, header_of, spliced};

/// A password that the policy takes.
pub(crate) const PASSWORD: &str = "blue kettle, seven spoons";
/// Another one.
pub(crate) const OTHER_PASSWORD: &str = "green lamp beside the door";

/// One test for the embedded store and one for Redis.
macro_rules! on_both_stores {
    ($(async fn $name:ident($site:ident: Site) $body:block)+) => {$(
        mod $name {
            #[allow(unused_imports, clippy::allow_attributes, reason = "not every test needs all of its file's imports")]
            use super::*;

            async fn test($site: Site) $body

            #[tokio::test]
            async fn embedded() {
                test(Site::embedded().await).await;
            }

            #[tokio::test]
            async fn on_redis() {
                test(Site::on_redis().await).await;
            }
        }
    )+};
}

/// Waits until `condition` holds, looking every 10 ms; fails after twenty seconds, because the machine may be busy. For what happens in another process.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let waiting = async {
        let mut tick = tokio::time::interval(std::time::Duration::from_millis(10));
        loop {
            tick.tick().await;
            if condition().await {
                return;
            }
        }
    };
    assert!(tokio::time::timeout(std::time::Duration::from_secs(20), waiting).await.is_ok(), "never: {what}");
}
