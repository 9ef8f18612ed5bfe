//! Who has an account here? (later)
