//! `GET /openapi.json`: every route, for programs that read such things (OpenAPI 3.1). A new route is a line below; a test holds
//! that against the table of routes, and another one real answers against their schemas.

mod entry;

use std::sync::Arc;

use axum::extract::State;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, LicenseBuilder, Object, OpenApi, OpenApiBuilder, Type};

use self::entry::{Book, JSON, delete, gate, get, open, post, user};
use super::{account, api, check, health, info, jwks, log_in, log_out, refresh, register, sessions, view};
use crate::app::App;
use crate::doctor_calls::Sight;
use crate::http::answer::Answer;
use crate::http::error::Code;
use crate::http::render::ProblemDocument;

const JWKS: &str = "application/jwk-set+json";
const OTHERS: &str = "Ends all sessions of the user but this one";
const ONE: &str = "Ends one of the user's sessions; `current` names this one";

/// The document.
pub async fn show(State(app): State<Arc<App>>) -> Answer {
    Answer::json(document(&app.site.base_path, &app.gate.parts().cookies.access_name))
}

/// The document for pages below `base_path` and an access token in the cookie of this name.
#[must_use]
pub fn document(base_path: &str, cookie: &str) -> OpenApi {
    let mut book = Book::default();
    let at = |path: &str| format!("{base_path}{path}");
    of_the_site(&mut book);
    for_visitors(&mut book, &at);
    for_users(&mut book, &at);
    for_programs(&mut book);
    for_others(&mut book, &at);
    let schemas = ComponentsBuilder::new()
        .schemas_from_iter(book.schemas)
        .schema_from::<ProblemDocument>()
        .security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)))
        .security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(cookie))));
    let licence = LicenseBuilder::new().name("MIT OR Apache-2.0").identifier(Some("MIT OR Apache-2.0"));
    let info = InfoBuilder::new()
        .title("Munjigi")
        .version("1")
        .description(Some("Sign-up, log-in, sessions and log-out."))
        .license(Some(licence.build()));
    OpenApiBuilder::new().info(info.build()).paths(book.paths).components(Some(schemas.build())).build()
}

fn of_the_site(book: &mut Book) {
    book.put(open(get("/"), "Leads to the page that says who is signed in").leads_on());
    book.put(open(get("/healthz"), "The process answers").says::<health::Alive>(200));
    book.put(
        open(get("/readyz"), "The node can do its work").says::<health::Readiness>(200).says::<health::Readiness>(503),
    );
    book.put(open(get("/openapi.json"), "This document").answers(200, JSON, Object::new()));
    book.put(open(get("/.well-known/jwks.json"), "The public keys").answers_with::<jwks::KeySet>(200, JWKS));
    book.put(open(get("/.well-known/change-password"), "Leads to the page where passwords are changed").leads_on());
}

fn for_visitors(book: &mut Book, at: &dyn Fn(&str) -> String) {
    book.put(gate(get(at("/info")), "Who is signed in").says::<info::Info>(200).page());
    book.put(
        gate(get(at("/login")), "The log-in page; leads on who is signed in")
            .says::<log_in::Asks>(200)
            .page()
            .leads_on(),
    );
    book.put(
        open(post(at("/login")), "Logs in, and sets the cookies")
            .form::<log_in::Typed>()
            .says::<log_in::Welcome<'_>>(200)
            .page()
            .leads_on()
            .fails(&[Code::InvalidCredentials, Code::Forbidden, Code::RateLimited]),
    );
    book.put(gate(get(at("/register")), "The registration page").says::<register::Asks>(200).page().leads_on());
    book.put(
        open(post(at("/register")), "Registers, and signs in")
            .form::<register::Typed>()
            .says::<view::DoneTo>(201)
            .page()
            .leads_on()
            .fails(&[Code::Forbidden, Code::UsernameTaken, Code::RateLimited]),
    );
    book.put(gate(get(at("/logout")), "The log-out page").says::<log_out::Asks>(200).page());
    book.put(
        open(post(at("/logout")), "Logs out").says::<view::Done>(200).page().leads_on().fails(&[Code::CrossOrigin]),
    );
    book.put(
        open(post(at("/check")), "What is wrong with what is being typed, without asking a store")
            .body_or_nothing::<check::Typing>()
            .says::<check::Checked>(200)
            .fails(&[Code::CrossOrigin]),
    );
    book.put(
        gate(post(at("/refresh")), "Renews if the access token is absent or expired")
            .says::<refresh::Renewed>(200)
            .page()
            .fails(&[Code::SessionEnded]),
    );
}

fn for_users(book: &mut Book, at: &dyn Fn(&str) -> String) {
    book.put(
        user(get(at("/account")), "The user and their sessions")
            .says::<account::AccountView<'_>>(200)
            .page()
            .leads_on(),
    );
    book.put(
        user(post(at("/account/name")), "Changes the name")
            .form::<account::NewName>()
            .says::<view::DoneTo>(200)
            .page()
            .leads_on(),
    );
    book.put(
        user(post(at("/account/password")), "Changes the password; every other session ends")
            .form::<account::NewPassword>()
            .says::<view::Done>(200)
            .page()
            .leads_on(),
    );
    book.put(
        user(get(at("/account/sessions")), "Lists the user's sessions")
            .says::<sessions::SessionList>(200)
            .page()
            .leads_on(),
    );
    book.put(user(post(at("/account/sessions/end-others")), OTHERS).says::<view::Done>(200).page().leads_on());
    book.put(user(post(at("/account/sessions/{sid}/end")), ONE).of_session().says::<view::Done>(200).page().leads_on());
}

fn for_programs(book: &mut Book) {
    book.put(
        open(post("/api/v1/sessions"), "Logs a program in that keeps no cookies")
            .body::<api::Credentials>()
            .says::<api::Tokens>(200)
            .fails(&[Code::InvalidCredentials, Code::Forbidden, Code::RateLimited]),
    );
    book.put(
        open(post("/api/v1/sessions/refresh"), "Trades a refresh token for the next one, with a new access token")
            .body::<api::Spent>()
            .says::<api::Tokens>(200)
            .fails(&[Code::SessionEnded, Code::RateLimited]),
    );
    book.put(user(get("/api/v1/sessions"), "Lists the user's sessions").says::<sessions::SessionList>(200));
    book.put(user(delete("/api/v1/sessions"), OTHERS).says::<view::Done>(200));
    book.put(user(delete("/api/v1/sessions/{sid}"), ONE).of_session().says::<view::Done>(200).fails(&[Code::NotFound]));
    book.put(user(get("/api/v1/me"), "The user, as the access token has them").says::<view::UserView>(200));
}

fn for_others(book: &mut Book, at: &dyn Fn(&str) -> String) {
    book.put(
        open(get(at("/doctor")), "What the server sees of a call of `munjigi doctor`; there for nobody else")
            .says::<Sight>(200)
            .fails(&[Code::NotFound]),
    );
    book.put(
        open(get("/auth/revocations"), "What has ended, for services that check tokens; takes the feed token")
            .answers(200, "text/event-stream", Object::with_type(Type::String))
            .fails(&[Code::LoginRequired, Code::Unavailable]),
    );
    book.put(
        gate(get("/auth/verify"), "A proxy asks who a visitor is, with any method")
            .says_nothing(200)
            .says_nothing(302)
            .fails(&[Code::Malformed, Code::Unavailable]),
    );
}
