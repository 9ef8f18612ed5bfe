//! Attacks on what a browser and its neighbours can send: each file one kind, each with controls that show that the attack
//! would be seen if it worked. Routes come from the server's own table, so that a new one is attacked without a word here.

mod answers;
mod caches;
mod cookies;
mod cross_site;
mod forged_log_in;
mod html;
mod injection;
mod markup;
mod members;
mod methods;
mod names;
mod redirects;
mod smuggling;
mod table;
mod types;
mod wire;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use crate::harness::Site;

/// Says how an attack went, for whoever runs the tests with their output.
#[expect(clippy::print_stdout, reason = "the counts are for whoever reads the output of the tests")]
fn tell(line: &str) {
    println!("{line}");
}

/// Everything that the database holds, a line a row. Equal before and after: nothing has happened.
fn state(site: &Site) -> Vec<String> {
    let database = site.database();
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
    let names: Vec<String> =
        database.prepare(tables).unwrap().query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    names.iter().flat_map(|table| rows(&database, &format!("SELECT '{table}', * FROM {table}"))).collect()
}

/// The rows that a query finds, each as text.
fn rows(database: &Connection, query: &str) -> Vec<String> {
    let mut statement = database.prepare(query).unwrap();
    let columns = statement.column_count();
    let shown = |value: ValueRef<'_>| match value {
        ValueRef::Text(text) => format!("{:?}", String::from_utf8_lossy(text)),
        other => format!("{other:?}"),
    };
    let text = |row: &rusqlite::Row<'_>| {
        Ok((0..columns).map(|n| shown(row.get_ref(n).unwrap())).collect::<Vec<_>>().join(" "))
    };
    statement.query_map([], text).unwrap().map(Result::unwrap).collect()
}
