//! Every page with made-up people: what the tests look at, and what pages of one's own are tried on before the server starts.

use serde_json::{Value as Json, json};

fn with(mut base: Json, changes: Json) -> Json {
    if let (Json::Object(base), Json::Object(changes)) = (&mut base, changes) {
        base.extend(changes);
    }
    base
}

/// Every page in the states that matter: (page, state, context). `text` stands wherever a client or user has a say.
pub(super) fn states(text: &str) -> Vec<(&'static str, &'static str, Json)> {
    let mut all = forms(text);
    let user = json!({"id": "0190", "username": text, "name": text});
    let session = json!({"id": "s", "expiresAt": "2026-12-07T10:15:00Z", "accessExpiresAt": "2026-11-23T10:25:00.5Z"});
    let nobody = json!({"user": null, "session": null, "reason": null, "registration_open": true});
    all.extend([
        ("closed", "", json!({})),
        ("style", "", json!({})),
        ("welcome", "open", json!({"registration_open": true})),
        ("welcome", "closed", json!({"registration_open": false})),
        ("info", "signed-in", with(nobody.clone(), json!({"user": user, "session": session}))),
        ("info", "anonymous", nobody.clone()),
        ("info", "reused", with(nobody, json!({"reason": "reused", "registration_open": false}))),
        ("logout", "asks", json!({"user": user})),
        ("logout", "nobody", json!({"user": null})),
        (
            "error",
            "",
            json!({"status": 404, "title": "There’s nothing here", "detail": text, "request_id": "0190f3c2-7b1e"}),
        ),
    ]);
    all
}

fn forms(text: &str) -> Vec<(&'static str, &'static str, Json)> {
    let login = json!({
        "return_to": null, "reason": null, "registration_open": true,
        "fields": {"username": "", "remember": false}, "errors": {}, "problem": null,
    });
    let register = json!({
        "return_to": null, "fields": {"username": "", "name": ""}, "errors": {}, "problem": null,
        "min_length": 8, "advised_length": 15,
    });
    let device = |id: &str, current| {
        json!({
            "id": id, "device": text, "address": "2001:db8:85a3:8d3:1319:8a2e:370:7348", "current": current,
            "createdAt": "2026-11-02T08:00:00Z", "lastUsedAt": "2026-11-23T10:10:00Z",
        })
    };
    let account = json!({
        "user": {"id": "0190", "username": text, "name": text}, "now": "2026-11-23T10:15:00Z", "saved": null, "unsaved": null,
        "sessions": [device("s1", true)], "fields": {"name": text}, "errors": {}, "problem": null,
        "min_length": 8, "advised_length": 15,
    });
    let filled = json!({"return_to": text, "fields": {"username": text, "remember": true}, "problem": text});
    let wrong = json!({
        "return_to": "/app?a=1&b=2", "fields": {"username": text, "name": text}, "min_length": 15,
        "errors": {"username": text, "name": text, "password": text, "confirmPassword": text},
    });
    let several = json!({"sessions": [device("s1", true), device(text, false)], "saved": "name"});
    let refused = json!({"errors": {"currentPassword": text, "newPassword": text}});
    vec![
        ("login", "fresh", login.clone()),
        ("login", "expired", with(login.clone(), json!({"reason": "expired", "registration_open": false}))),
        ("login", "ended", with(login.clone(), json!({"reason": "ended"}))),
        ("login", "refused", with(login.clone(), filled)),
        ("login", "empty", with(login, json!({"errors": {"username": text, "password": text}}))),
        ("register", "fresh", register.clone()),
        ("register", "wrong", with(register, wrong)),
        ("account", "alone", account.clone()),
        ("account", "several", with(account.clone(), several)),
        ("account", "password-saved", with(account.clone(), json!({"saved": "password"}))),
        ("account", "session-ended", with(account.clone(), json!({"saved": "session"}))),
        ("account", "sessions-ended", with(account.clone(), json!({"saved": "sessions"}))),
        ("account", "unsaved-name", with(account.clone(), json!({"unsaved": "name"}))),
        ("account", "unsaved-password", with(account.clone(), json!({"unsaved": "password"}))),
        ("account", "refused", with(account, refused)),
    ]
}
