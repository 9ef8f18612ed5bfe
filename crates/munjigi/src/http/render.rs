//! Gives each answer its form: page, JSON or redirect, in the reader's language. The one place that looks at `Accept`.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{ALLOW, CONTENT_TYPE, LOCATION, RETRY_AFTER, SET_COOKIE, VARY, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, StatusCode};
use munjigi_gate::Refusal;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::answer::{Answer, Page};
use super::error::{Code, Problem, Text};
use super::negotiate::{self, Form, Reader};
use super::tracing::RequestId;
use crate::app::App;
use crate::pages;

/// No request takes longer.
const LONGEST: Duration = Duration::from_secs(10);

/// What is needed of the request once it is gone.
struct Asked {
    reader: Reader,
    /// Path and query.
    here: String,
    /// Whether it was asked for and nothing was sent: a link may lead here.
    safe: bool,
    request_id: String,
}

/// Renders what comes from within.
pub async fn render(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    if let Err(error) = app.pages.refresh() {
        return broken_pages(&app, &error);
    }
    let uri = request.uri();
    let reader = Reader::of(&app.pages.languages(), app.site.https, &request);
    let here = uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    let safe = matches!(*request.method(), Method::GET | Method::HEAD);
    let request_id = request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    let asked = Asked { reader, here, safe, request_id };
    request.extensions_mut().insert(asked.reader.clone());
    let response = match tokio::time::timeout(LONGEST, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            ::tracing::error!(code = Code::Unavailable.name(), note = "a request took longer than 10 s", "failure");
            Problem::new(Code::Unavailable).into_response()
        }
    };
    let mut response = form(&app, &asked, response);
    app.site.security_headers.add(response.headers_mut());
    if let Some(lang) = asked.reader.chosen
        && response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == HTML)
        && let Ok(line) = HeaderValue::from_str(&language_cookie(app.pages.languages().tag(lang), app.site.https))
    {
        response.headers_mut().append(SET_COOKIE, line);
    }
    response
}

/// Somebody works on the pages, and broke them: they are told where they look.
fn broken_pages(app: &App, error: &pages::PagesError) -> Response {
    ::tracing::error!(cause = crate::telemetry::chain(error), "pages_broken");
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    let mut response = (Code::Internal.status(), [(CONTENT_TYPE, kind)], format!("{error}\n")).into_response();
    app.site.security_headers.add(response.headers_mut());
    response
}

fn form(app: &App, asked: &Asked, response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    if let Some(answer) = parts.extensions.remove::<Answer>() {
        return answered(app, asked, answer).over(parts);
    }
    if let Some(problem) = parts.extensions.remove::<Problem>() {
        return failed(app, asked, problem).over(parts);
    }
    if let Some(refusal) = parts.extensions.remove::<Refusal>() {
        return failed(app, asked, refusal.into()).over(parts);
    }
    // What a library refused before any handler was asked: a path that is no UTF-8, for example.
    if parts.status.is_client_error() || parts.status.is_server_error() {
        return failed(app, asked, Problem::new(Code::of(parts.status))).over(parts);
    }
    Response::from_parts(parts, body)
}

/// Status, kind and body of an answer that has its form.
struct Formed {
    status: StatusCode,
    kind: &'static str,
    body: String,
    location: Option<String>,
    retry_after: Option<Duration>,
}

impl Formed {
    /// Lays it over the headers that came from within: the cookies, above all.
    fn over(self, mut parts: http::response::Parts) -> Response {
        parts.status = self.status;
        let headers = &mut parts.headers;
        headers.remove(http::header::CONTENT_LENGTH);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.kind));
        headers.append(VARY, HeaderValue::from_static("Accept, Accept-Language"));
        if let Some(location) = self.location.and_then(|location| HeaderValue::try_from(location).ok()) {
            headers.insert(LOCATION, location);
        }
        if let Some(retry_after) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(retry_after.as_secs().max(1)));
        }
        if self.status != StatusCode::UNAUTHORIZED {
            headers.remove(WWW_AUTHENTICATE);
        }
        if self.status != StatusCode::METHOD_NOT_ALLOWED {
            headers.remove(ALLOW);
        }
        Response::from_parts(parts, Body::from(self.body))
    }
}

const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";
const HTML: &str = "text/html; charset=utf-8";

fn answered(app: &App, asked: &Asked, answer: Answer) -> Formed {
    let formed = |status, kind, body| Formed { status, kind, body, location: None, retry_after: None };
    let for_everybody = answer.status == StatusCode::SEE_OTHER;
    if asked.reader.form == Form::Page || for_everybody {
        if let Some(location) = answer.location {
            return Formed { location: Some(location), ..formed(StatusCode::SEE_OTHER, HTML, String::new()) };
        }
        if let Some(page) = answer.page {
            return match html(app, asked, page) {
                Ok(body) => formed(answer.status, HTML, body),
                Err(problem) => failed(app, asked, *problem),
            };
        }
    }
    formed(answer.status, JSON, answer.json.to_string())
}

/// What went wrong (RFC 9457, and our members).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemDocument {
    /// A URN that ends in the code.
    #[serde(rename = "type")]
    kind: String,
    /// A few words, in the reader's language.
    title: String,
    status: u16,
    /// A sentence or two, in the reader's language.
    detail: String,
    /// Never true.
    success: bool,
    /// What programs decide by: it never changes.
    code: &'static str,
    /// The same as `detail`.
    msg: String,
    /// What is wrong with a member of the body, by its name.
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = std::collections::BTreeMap<String, String>, required = false)]
    errors: Map<String, Value>,
}

fn failed(app: &App, asked: &Asked, problem: Problem) -> Formed {
    problem.code.note();
    let lang = asked.reader.lang;
    let (status, name) = (problem.code.status(), problem.code.name());
    let messages = app.pages.messages();
    let say = |text: &Text| messages.text(lang, text.key, &text.values());
    let soon = (problem.code == Code::Unavailable).then_some(Duration::from_secs(1));
    let retry_after = problem.retry_after.or(soon);
    let seconds = retry_after.unwrap_or_default().as_secs();
    let usual = messages.problem(lang, name, &[("seconds", pages::Value::from(seconds))]);
    let title = usual.title;
    let detail = problem.detail.as_ref().map_or(usual.detail, say);
    let errors: Map<String, Value> =
        problem.errors.iter().map(|(field, text)| ((*field).to_owned(), say(text).into())).collect();
    let formed = |kind, body| Formed { status, kind, body, location: None, retry_after };
    if asked.reader.form == Form::Json {
        let document = ProblemDocument {
            kind: format!("urn:munjigi:problem:{name}"),
            title,
            status: status.as_u16(),
            msg: detail.clone(),
            detail,
            success: false,
            code: name,
            errors,
        };
        return formed(PROBLEM, json!(document).to_string());
    }
    let page = problem.page.clone().map(|mut page| {
        if let Value::Object(context) = &mut page.context {
            // Beside a field that is wrong, nothing has to be said about the form as a whole.
            let whole = if errors.is_empty() { detail.clone().into() } else { Value::Null };
            context.insert("problem".to_owned(), whole);
            context.insert("errors".to_owned(), Value::Object(errors));
        }
        page
    });
    let about = json!({ "status": status.as_u16(), "title": title, "detail": detail, "request_id": asked.request_id });
    let body = html(app, asked, page.unwrap_or_else(|| Page::new("error", &about)));
    formed(HTML, body.unwrap_or(detail))
}

fn html(app: &App, asked: &Asked, page: Page) -> Result<String, Box<Problem>> {
    // An answer to what was sent cannot be asked for again: the page with its form can, or the first one.
    let own = format!("{}/{}", app.site.base_path, if page.template == "error" { "info" } else { page.template });
    let may_lead = asked.safe || asked.here.split('?').next() == Some(&own);
    let here = if may_lead { &asked.here } else { &own };
    app.pages.render(page.template, asked.reader.lang, here, &page.context).map_err(|error| {
        let chain = crate::telemetry::chain(&error);
        ::tracing::error!(code = Code::Internal.name(), template = page.template, cause = chain, "failure");
        Box::new(Problem::new(Code::Internal))
    })
}

fn language_cookie(tag: &str, https: bool) -> String {
    let (name, secure) = (negotiate::language_cookie(https), if https { "; Secure" } else { "" });
    format!("{name}={tag}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax{secure}")
}
