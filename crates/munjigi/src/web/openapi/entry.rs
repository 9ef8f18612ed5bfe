//! A route, as it is being described: what all of one kind have in common is said here.

use std::collections::BTreeMap;

use http::StatusCode;
use utoipa::ToSchema;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Content, ContentBuilder, Object, Paths, Ref, RefOr, Required, ResponseBuilder, Schema, Type};

use crate::http::error::Code;
use crate::http::render::ProblemDocument;

pub(super) const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";
const FORM: &str = "application/x-www-form-urlencoded";
const HTML: &str = "text/html";

type Place = (HttpMethod, String);

pub(super) fn get(path: impl Into<String>) -> Place {
    (HttpMethod::Get, path.into())
}

pub(super) fn post(path: impl Into<String>) -> Place {
    (HttpMethod::Post, path.into())
}

pub(super) fn delete(path: impl Into<String>) -> Place {
    (HttpMethod::Delete, path.into())
}

/// For whoever asks, without a look at tokens, or with one that refuses nobody.
pub(super) fn open(place: Place, summary: &str) -> Entry {
    Entry::new(place, summary)
}

/// Behind the gate.
pub(super) fn gate(place: Place, summary: &str) -> Entry {
    let entry = Entry::new(place, summary).fails(&[Code::LoginRequired, Code::Forbidden, Code::RateLimited]);
    let anybody = entry.operation.security(SecurityRequirement::default());
    let operation = anybody.security(requires("bearer")).security(requires("cookie"));
    Entry { operation, ..entry }
}

/// For who is signed in.
pub(super) fn user(place: Place, summary: &str) -> Entry {
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
pub(super) struct Book {
    pub(super) paths: Paths,
    pub(super) schemas: Vec<(String, RefOr<Schema>)>,
}

impl Book {
    pub(super) fn put(&mut self, entry: Entry) {
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

/// A failure: for programs a problem document, for people a page.
fn problem(words: &str) -> utoipa::openapi::Response {
    let document = Content::new(Some(Ref::from_schema_name(<ProblemDocument as ToSchema>::name())));
    let page = Content::new(None::<Schema>);
    ResponseBuilder::new().description(words).content(PROBLEM, document).content(HTML, page).build()
}

/// A route, as it is being described.
pub(super) struct Entry {
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

    pub(super) fn answers(mut self, status: u16, kind: &'static str, schema: impl Into<RefOr<Schema>>) -> Self {
        self.answers.entry(status).or_default().insert(kind, Content::new(Some(schema)));
        self
    }

    pub(super) fn answers_with<T: ToSchema>(mut self, status: u16, kind: &'static str) -> Self {
        let schema = self.schema::<T>();
        self.answers(status, kind, schema)
    }

    pub(super) fn says<T: ToSchema>(self, status: u16) -> Self {
        self.answers_with::<T>(status, JSON)
    }

    /// What there is to say stands in headers.
    pub(super) fn says_nothing(mut self, status: u16) -> Self {
        self.answers.entry(status).or_default();
        self
    }

    /// People get a page with the same status.
    pub(super) fn page(mut self) -> Self {
        for contents in self.answers.values_mut() {
            contents.insert(HTML, Content::new(None::<Schema>));
        }
        self
    }

    /// People are led elsewhere.
    pub(super) fn leads_on(self) -> Self {
        self.answers(303, HTML, Object::with_type(Type::String))
    }

    pub(super) fn fails(mut self, codes: &[Code]) -> Self {
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
    pub(super) fn body<T: ToSchema>(self) -> Self {
        self.reads::<T>(&[JSON], Required::True)
    }

    /// Reads JSON, and nothing at all as an object without members.
    pub(super) fn body_or_nothing<T: ToSchema>(self) -> Self {
        self.reads::<T>(&[JSON], Required::False)
    }

    /// Reads JSON or a form.
    pub(super) fn form<T: ToSchema>(self) -> Self {
        self.reads::<T>(&[JSON, FORM], Required::True)
    }

    fn reads<T: ToSchema>(mut self, kinds: &[&str], required: Required) -> Self {
        let content = ContentBuilder::new().schema(Some(self.schema::<T>())).build();
        let body = RequestBodyBuilder::new().required(Some(required));
        let body = kinds.iter().fold(body, |body, kind| body.content(*kind, content.clone()));
        let operation = self.operation.request_body(Some(body.build()));
        let entry = Self { operation, ..self };
        entry.fails(&[Code::Malformed, Code::TooLarge, Code::UnsupportedMediaType, Code::ValidationFailed])
    }

    /// Has the id of a session in its path.
    pub(super) fn of_session(self) -> Self {
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
