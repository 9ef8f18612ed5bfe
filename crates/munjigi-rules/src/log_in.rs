//! Who gets in.

/// What the store knows of the account, once its name was looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Account {
    /// No such user: the password was verified against nothing, at the same cost.
    Unknown,
    /// May log in.
    Enabled,
    /// May not.
    Disabled,
}

/// What the hash function says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Password {
    /// It matches.
    Right,
    /// It does not.
    Wrong,
}

/// What becomes of a log-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Come in.
    Welcome,
    /// Unknown user or wrong password: the answer is the same to the letter.
    Refused,
    /// The password is right, the account disabled. Only somebody who knows the password learns of it.
    Disabled,
}

/// Decides a log-in.
#[must_use]
pub const fn decide(account: Account, password: Password) -> Decision {
    match (account, password) {
        (Account::Enabled, Password::Right) => Decision::Welcome,
        (Account::Disabled, Password::Right) => Decision::Disabled,
        (Account::Unknown, Password::Right | Password::Wrong)
        | (Account::Enabled | Account::Disabled, Password::Wrong) => Decision::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_password_of_an_enabled_user_gets_in_and_only_it_learns_of_a_disabled_one() {
        use Account::{Disabled, Enabled, Unknown};
        use Password::{Right, Wrong};
        let decisions = [Unknown, Enabled, Disabled].map(|account| [decide(account, Right), decide(account, Wrong)]);
        assert_eq!(
            decisions,
            [
                [Decision::Refused, Decision::Refused],
                [Decision::Welcome, Decision::Refused],
                [Decision::Disabled, Decision::Refused],
            ]
        );
    }
}
