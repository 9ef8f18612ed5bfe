//! `GET /openapi.json`: every route, for programs that read such things (OpenAPI 3.1). A new route is a line in [`describe`]; a
//! test holds that against the table of routes, and another one real answers against their schemas.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use utoipa::ToSchema;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, Content, ContentBuilder, InfoBuilder, LicenseBuilder, Object, OpenApi, OpenApiBuilder, Paths, Ref,
    RefOr, Required, ResponseBuilder, Schema, Type,
};

use super::{account, api, health, info, jwks, log_in, log_out, refresh, register, sessions, view};
use crate::app::App;
use crate::http::answer::Answer;
use crate::http::error::Code;
use crate::http::render::ProblemDocument;

const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";
const FORM: &str = "application/x-www-form-urlencoded";
const HTML: &str = "text/html";

/// The document.
pub async fn show(State(app): State<Arc<App>>) -> Answer {
    Answer::json(document(&app.site.base_path, &app.gate.parts().cookies.access_name))
}

/// The document for pages below `base_path` and an access token in the cookie of this name.
#[must_use]
pub fn document(base_path: &str, cookie: &str) -> OpenApi {
    let mut book = Book::default();
    describe(&mut book, &|path| format!("{base_path}{path}"));
    let problem = <ProblemDocument as ToSchema>::name();
    let schemas = ComponentsBuilder::new()
        .schemas_from_iter(book.schemas)
        .schema_from::<ProblemDocument>()
        .security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)))
        .security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(cookie))));
    debug_assert_eq!(problem, PROBLEM_SCHEMA);
    let licence = LicenseBuilder::new().name("MIT OR Apache-2.0").identifier(Some("MIT OR Apache-2.0"));
    let info = InfoBuilder::new()
        .title("Munjigi")
        .version("1")
        .description(Some("Sign-up, log-in, sessions and log-out."))
        .license(Some(licence.build()));
    OpenApiBuilder::new().info(info.build()).paths(book.paths).components(Some(schemas.build())).build()
}

/// All of it.
fn describe(book: &mut Book, at: &dyn Fn(&str) -> String) {
    use Code::{InvalidCredentials, NotFound, RateLimited, SessionEnded, UsernameTaken};

    book.put(open(get("/"), "Leads to the page that says who is signed in").leads_on());
    book.put(open(get("/healthz"), "The process answers").says::<health::Alive>(200));
    book.put(open(get("/readyz"), "The node can do its work").says::<health::Readiness>(200).says::<health::Readiness>(503));
    book.put(open(get("/openapi.json"), "This document").answers(200, JSON, Object::new()));
    book.put(open(get("/.well-known/jwks.json"), "The public keys").answers_with::<jwks::KeySet>(200, JWKS));
    book.put(open(get("/.well-known/change-password"), "Leads to the page where passwords are changed").leads_on());

    book.put(gate(get(at("/info")), "Who is signed in").says::<info::Info>(200).page());
    book.put(gate(get(at("/login")), "The log-in page; leads on who is signed in").says::<log_in::Asks>(200).page().leads_on());
    book.put(
        open(post(at("/login")), "Logs in, and sets the cookies")
            .form::<log_in::Typed>()
            .says::<log_in::Welcome<'_>>(200)
            .page()
            .leads_on()
            .fails(&[InvalidCredentials, Code::Forbidden, RateLimited]),
    );
    book.put(gate(get(at("/register")), "The registration page").says::<register::Asks>(200).page().leads_on());
    book.put(
        open(post(at("/register")), "Registers, and signs in")
            .form::<register::Typed>()
            .says::<view::DoneTo>(201)
            .page()
            .leads_on()
            .fails(&[Code::Forbidden, UsernameTaken, RateLimited]),
    );
    book.put(gate(get(at("/logout")), "The log-out page").says::<log_out::Asks>(200).page());
    book.put(open(post(at("/logout")), "Logs out").says::<view::Done>(200).page().leads_on().fails(&[Code::CrossOrigin]));
    book.put(
        gate(post(at("/refresh")), "Renews if the access token is absent or expired")
            .says::<refresh::Renewed>(200)
            .page()
            .fails(&[SessionEnded]),
    );

    book.put(user(get(at("/account")), "The user and their sessions").says::<account::AccountView<'_>>(200).page().leads_on());
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
    book.put(user(get(at("/account/sessions")), "Lists the user's sessions").says::<sessions::SessionList>(200).page().leads_on());
    let others = "Ends all sessions of the user but this one";
    book.put(user(post(at("/account/sessions/end-others")), others).says::<view::Done>(200).page().leads_on());
    let one = "Ends one of the user's sessions; `current` names this one";
    book.put(user(post(at("/account/sessions/{sid}/end")), one).of_session().says::<view::Done>(200).page().leads_on());

    book.put(
        open(post("/api/v1/sessions"), "Logs a program in that keeps no cookies")
            .body::<api::Credentials>()
            .says::<api::Tokens>(200)
            .fails(&[InvalidCredentials, Code::Forbidden, RateLimited]),
    );
    book.put(
        open(post("/api/v1/sessions/refresh"), "Trades a refresh token for the next one, with a new access token")
            .body::<api::Spent>()
            .says::<api::Tokens>(200)
            .fails(&[SessionEnded, RateLimited]),
    );
    book.put(user(get("/api/v1/sessions"), "Lists the user's sessions").says::<sessions::SessionList>(200));
    book.put(user(delete("/api/v1/sessions"), others).says::<view::Done>(200));
    book.put(user(delete("/api/v1/sessions/{sid}"), one).of_session().says::<view::Done>(200).fails(&[NotFound]));
    book.put(user(get("/api/v1/me"), "The user, as the access token has them").says::<view::UserView>(200));
}

type Place = (HttpMethod, String);

fn get(path: impl Into<String>) -> Place {
    (HttpMethod::Get, path.into())
}

fn post(path: impl Into<String>) -> Place {
    (HttpMethod::Post, path.into())
}

fn delete(path: impl Into<String>) -> Place {
    (HttpMethod::Delete, path.into())
}

/// For whoever asks, without a look at tokens, or with one that refuses nobody.
fn open(place: Place, summary: &str) -> Entry {
    Entry::new(place, summary)
}

/// Behind the gate.
fn gate(place: Place, summary: &str) -> Entry {
    let entry = Entry::new(place, summary).fails(&[Code::LoginRequired, Code::Forbidden, Code::RateLimited]);
    let anybody = entry.operation.security(SecurityRequirement::default());
    let operation = anybody.security(requires("bearer")).security(requires("cookie"));
    Entry { operation, ..entry }
}

/// For who is signed in.
fn user(place: Place, summary: &str) -> Entry {
    let entry = Entry::new(place, summary).fails(&[
        Code::LoginRequired,
        Code::SessionEnded,
        Code::Forbidden,
        Code::RateLimited,
    ]);
    let operation = entry.operation.security(requires("bearer")).security(requires("cookie"));
    Entry { operation, ..entry }
}

fn requires(scheme: &str) -> SecurityRequirement {
    SecurityRequirement::new(scheme, std::iter::empty::<String>())
}

/// What is described so far.
#[derive(Default)]
struct Book {
    paths: Paths,
    schemas: Vec<(String, RefOr<Schema>)>,
}

impl Book {
    fn put(&mut self, entry: Entry) {
        let Entry { place: (method, path), mut operation, answers, failures, schemas } = entry;
        for (status, contents) in answers {
            let words = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
            let mut response = ResponseBuilder::new().description(words.unwrap_or_default());
            for (kind, content) in contents {
                response = response.content(kind, content);
            }
            operation = operation.response(status.to_string(), response.build());
        }
        for (status, codes) in failures {
            operation = operation.response(status.to_string(), problem(&codes.join(", ")));
        }
        operation = operation.response("default", problem("Any other failure: `code` says which"));
        self.paths.add_path_operation(path, vec![method], operation.build());
        self.schemas.extend(schemas);
    }
}

const PROBLEM_SCHEMA: &str = "Problem";
const JWKS: &str = "application/jwk-set+json";

/// A failure: for programs a problem document, for people a page.
fn problem(words: &str) -> utoipa::openapi::Response {
    let document = Content::new(Some(Ref::from_schema_name(PROBLEM_SCHEMA)));
    let page = Content::new(None::<Schema>);
    ResponseBuilder::new().description(words).content(PROBLEM, document).content(HTML, page).build()
}

/// A route, as it is being described.
struct Entry {
    place: Place,
    operation: OperationBuilder,
    /// By status: kinds and what they hold.
    answers: BTreeMap<u16, BTreeMap<&'static str, Content>>,
    /// By status: codes.
    failures: BTreeMap<u16, Vec<String>>,
    schemas: Vec<(String, RefOr<Schema>)>,
}

impl Entry {
    fn new(place: Place, summary: &str) -> Self {
        let entry = Self {
            operation: OperationBuilder::new().summary(Some(summary)),
            answers: BTreeMap::new(),
            failures: BTreeMap::new(),
            schemas: Vec::new(),
            place,
        };
        let safe = matches!(entry.place.0, HttpMethod::Get);
        if safe { entry } else { entry.fails(&[Code::CrossOrigin]) }
    }

    /// A reference to a type's schema, which is kept.
    fn schema<T: ToSchema>(&mut self) -> Ref {
        self.schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(&mut self.schemas);
        Ref::from_schema_name(T::name())
    }

    fn answers(mut self, status: u16, kind: &'static str, schema: impl Into<RefOr<Schema>>) -> Self {
        self.answers.entry(status).or_default().insert(kind, Content::new(Some(schema)));
        self
    }

    fn answers_with<T: ToSchema>(mut self, status: u16, kind: &'static str) -> Self {
        let schema = self.schema::<T>();
        self.answers(status, kind, schema)
    }

    fn says<T: ToSchema>(self, status: u16) -> Self {
        self.answers_with::<T>(status, JSON)
    }

    /// People get a page with the same status.
    fn page(mut self) -> Self {
        for contents in self.answers.values_mut() {
            contents.insert(HTML, Content::new(None::<Schema>));
        }
        self
    }

    /// People are led elsewhere.
    fn leads_on(self) -> Self {
        self.answers(303, HTML, Object::with_type(Type::String))
    }

    fn fails(mut self, codes: &[Code]) -> Self {
        for code in codes {
            let known = self.failures.entry(code.status().as_u16()).or_default();
            let name = format!("`{}`", code.name());
            if !known.contains(&name) {
                known.push(name);
            }
        }
        self
    }

    /// Reads JSON.
    fn body<T: ToSchema>(mut self) -> Self {
        let content = ContentBuilder::new().schema(Some(self.schema::<T>())).build();
        let body = RequestBodyBuilder::new().content(JSON, content).required(Some(Required::True)).build();
        let operation = self.operation.request_body(Some(body));
        let entry = Self { operation, ..self };
        entry.fails(&[Code::Malformed, Code::TooLarge, Code::UnsupportedMediaType, Code::ValidationFailed])
    }

    /// Reads JSON or a form.
    fn form<T: ToSchema>(mut self) -> Self {
        let content = ContentBuilder::new().schema(Some(self.schema::<T>())).build();
        let body = RequestBodyBuilder::new().content(JSON, content.clone()).content(FORM, content);
        let operation = self.operation.request_body(Some(body.required(Some(Required::True)).build()));
        let entry = Self { operation, ..self };
        entry.fails(&[Code::Malformed, Code::TooLarge, Code::UnsupportedMediaType, Code::ValidationFailed])
    }

    /// Has the id of a session in its path.
    fn of_session(self) -> Self {
        let sid: Parameter = ParameterBuilder::new()
            .name("sid")
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .schema(Some(Object::with_type(Type::String)))
            .build();
        let operation = self.operation.parameter(sid);
        Self { operation, ..self }.fails(&[Code::NotFound])
    }
}
