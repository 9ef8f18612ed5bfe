//! The example, as somebody runs it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// The program; ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

#[tokio::test]
async fn an_app_has_log_in_and_its_own_routes_know_who_asks() {
    let dir = tempfile::tempdir().unwrap();
    let settings = "[server]\nlisten = \"127.0.0.1:0\"\npublic_url = \"http://localhost:3999\"\n\
                    [passwords]\nargon2_memory = \"64KiB\"\nargon2_passes = 1\n";
    std::fs::write(dir.path().join("munjigi.toml"), settings).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_embedded"));
    let mut program = Running(command.current_dir(dir.path()).stdout(Stdio::piped()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(program.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().strip_prefix("open ").unwrap().replace("localhost", "127.0.0.1");

    let browser = reqwest::Client::builder().cookie_store(true).build().unwrap();
    let get = async |path: &str| browser.get(format!("{url}{path}")).send().await.unwrap();
    assert!(get("/").await.text().await.unwrap().contains("stranger"));
    let refused = get("/notes").await;
    assert_eq!(refused.status(), 401);
    assert_eq!(refused.json::<Value>().await.unwrap()["code"], "login_required");

    let password = "blue kettle, seven spoons";
    let form = json!({ "username": "mina", "password": password, "confirmPassword": password, "name": "김미나" });
    let registered = browser.post(format!("{url}/user/register")).json(&form).send().await.unwrap();
    assert_eq!(registered.status(), 201);
    assert!(get("/").await.text().await.unwrap().contains("user mina"));
    assert_eq!(get("/notes").await.text().await.unwrap(), "김미나, these are your notes.");
    let done = browser.post(format!("{url}/transfer")).send().await.unwrap();
    assert_eq!(done.text().await.unwrap(), "김미나, it is done.");

    let copied = reqwest::Client::new().get(format!("{url}/notes")).header("cookie", cookies(&registered));
    assert_eq!(copied.try_clone().unwrap().send().await.unwrap().status(), 200);
    let out = browser.post(format!("{url}/user/logout")).send().await.unwrap();
    assert_eq!(out.status(), 200);
    assert_eq!(get("/notes").await.status(), 401);
    assert_eq!(copied.send().await.unwrap().status(), 401, "copied cookies are worth nothing any more");
}

/// The cookies that an answer has set, as they are sent back.
fn cookies(answer: &reqwest::Response) -> String {
    let lines = answer.headers().get_all("set-cookie").iter().map(|line| line.to_str().unwrap());
    lines.map(|line| line.split(';').next().unwrap()).collect::<Vec<_>>().join("; ")
}
