//! A real nginx before the server, with TLS.

use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::installation::free_port;
use super::{Findings, Installation};
use crate::harness::{eventually, tls};

/// It ends with the value.
struct Nginx {
    process: Child,
    _dir: TempDir,
}

impl Nginx {
    async fn start(port: u16, behind: u16, more: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path().display();
        let (certificate, key) = (tls("server.pem"), tls("server.key"));
        let text = format!(
            "daemon off; worker_processes 1; pid {at}/pid; error_log {at}/log; events {{}}
             http {{
               access_log off; client_body_temp_path {at}/body; proxy_temp_path {at}/proxy; fastcgi_temp_path {at}/f;
               uwsgi_temp_path {at}/u; scgi_temp_path {at}/s;
               server {{
                 listen 127.0.0.1:{port} ssl; ssl_certificate {certificate}; ssl_certificate_key {key};
                 location / {{ proxy_pass http://127.0.0.1:{behind}; {more} }}
               }}
             }}"
        );
        let file = dir.path().join("nginx.conf");
        std::fs::write(&file, text).unwrap();
        let path = format!("{}:/usr/sbin", std::env::var_os("PATH").unwrap().display());
        let mut command = Command::new("nginx");
        command.arg("-c").arg(&file).arg("-p").arg(dir.path()).env("PATH", path).stderr(Stdio::null());
        let process = command.spawn().expect("nginx is not on PATH: install it (Debian: the package `nginx-light`)");
        let nginx = Self { process, _dir: dir };
        eventually("nginx listens", || async { TcpStream::connect(("127.0.0.1", port)).is_ok() }).await;
        nginx
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Told to end, it ends its workers, too.
        let pid = i32::try_from(self.process.id()).ok().and_then(rustix::process::Pid::from_raw);
        let _ = pid.map(|pid| rustix::process::kill_process(pid, rustix::process::Signal::TERM));
        let _ = self.process.wait();
    }
}

const RIGHT: &str = "proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; \
                     proxy_set_header X-Forwarded-Proto $scheme;";

/// What is found behind an nginx that does this.
async fn behind(more: &str, trusted: &str, runs: bool, authority: Option<&str>) -> Findings {
    let installation = Installation::new();
    let port = free_port();
    let installation = installation
        .set("server.public_url", &format!("https://localhost:{port}"))
        .set("server.trusted_proxies", trusted);
    let place = match authority {
        Some(file) => installation.place.variable("SSL_CERT_FILE", &tls(file)),
        None => installation.place,
    };
    let installation = Installation { place, port: installation.port };
    let server = Some(installation.serve().await).filter(|_| runs);
    let nginx = Nginx::start(port, installation.port, more).await;
    let found = installation.doctor();
    drop((nginx, server));
    found
}

#[tokio::test]
async fn behind_an_nginx_that_is_set_up_well_nothing_is_wrong() {
    let found = behind(RIGHT, "127.0.0.1", true, Some("ca.pem")).await.nothing_else_than(&[]);
    let found = found.says("cookies", "ok", &["__Host-accessToken and __Host-refreshToken", "for TLS alone"]);
    found.says("public url", "ok", &["https://localhost:", "leads to this installation"]);
}

#[tokio::test]
async fn what_is_usually_forgotten_in_nginx_is_found() {
    let found = behind("", "", true, Some("ca.pem")).await;
    let found =
        found.says("proxy", "wrong", &["does not say for whom it asks", "server.trusted_proxies = [\"127.0.0.1\"]"]);
    found.says("proxy", "warning", &["Host was localhost:", "proxy_set_header Host"]);
    behind(RIGHT, "", true, Some("ca.pem")).await.says("proxy", "wrong", &["not in server.trusted_proxies"]);
    let path = format!("{RIGHT} proxy_cookie_path / /app;");
    behind(&path, "127.0.0.1", true, Some("ca.pem")).await.says("cookies", "wrong", &["with Path=/app"]);
    let hidden = format!("{RIGHT} proxy_hide_header Set-Cookie;");
    behind(&hidden, "127.0.0.1", true, Some("ca.pem")).await.says("cookies", "wrong", &["do not arrive"]);
    let moved = format!("{RIGHT} return 301 https://www.example.com$request_uri;");
    behind(&moved, "127.0.0.1", true, Some("ca.pem")).await.says(
        "public url",
        "wrong",
        &["leads on to https://www.example.com/"],
    );
}

#[tokio::test]
async fn an_nginx_without_a_server_or_with_a_certificate_of_nobody_is_found() {
    let found = behind(RIGHT, "127.0.0.1", false, Some("ca.pem")).await;
    found.says("public url", "wrong", &["502", "does not reach Munjigi"]).says("server", "skipped", &["munjigi serve"]);
    let found = behind(RIGHT, "127.0.0.1", true, Some("other-ca.pem")).await;
    found.says("public url", "wrong", &["no TLS that can be trusted", "certificate", "SSL_CERT_FILE"]);
}
