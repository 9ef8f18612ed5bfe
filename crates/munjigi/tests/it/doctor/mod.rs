//! `munjigi doctor`: every finding is made to appear by breaking the thing, with real servers, a real Redis and a real proxy.

mod calls;
