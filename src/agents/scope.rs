//! How far a token of somebody else's making reaches here.

/// What our scopes allow. A greater one holds all that the lesser ones allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// `tools:read`: see and call tools that only look.
    Read,
    /// `tools:write`: call every tool that the agent has.
    Write,
    /// `admin`: change users and settings, for those who are administrators here.
    Admin,
}

impl Scope {
    /// Its name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Scope::Read => "tools:read",
            Scope::Write => "tools:write",
            Scope::Admin => "admin",
        }
    }

    /// All that a client has to ask for at once to get this far, as in a `scope` parameter (RFC 6750, section 3).
    pub fn needed(self) -> &'static str {
        match self {
            Scope::Read => "tools:read",
            Scope::Write => "tools:read tools:write",
            Scope::Admin => "tools:read tools:write admin",
        }
    }

    /// The greatest of ours among `names`; names of others are passed over.
    pub fn greatest<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<Scope> {
        let ours = |name| [Scope::Read, Scope::Write, Scope::Admin].into_iter().find(|scope| scope.as_str() == name);
        names.into_iter().filter_map(ours).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_scope_counts_and_foreign_ones_do_not() {
        assert_eq!(Scope::greatest(["openid", "tools:read"]), Some(Scope::Read));
        assert_eq!(Scope::greatest(["tools:write", "tools:read"]), Some(Scope::Write));
        assert_eq!(Scope::greatest(["admin"]), Some(Scope::Admin));
        assert_eq!(Scope::greatest(["Tools:Read", "tools", "tools:readx", ""]), None);
    }
}
