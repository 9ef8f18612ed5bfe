//! `munjigi doctor`: every finding is made to appear by breaking the thing, with real servers, a real Redis and real proxies.

mod calls;
mod files;
mod installation;
mod middle;
mod nginx;
mod promises;
mod settings;
mod stores;
mod way;

use installation::{Findings, Installation};
