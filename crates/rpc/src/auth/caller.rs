//! The caller of a request.

use std::sync::Arc;

/// The identity of callers where authentication is not configured, and of
/// those of public methods.
pub const ANONYMOUS: &str = "anonymous";

/// Who sent a request. The server's layer puts it into the request's extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The token's subject, or [`ANONYMOUS`].
    pub identity: String,
    /// What the caller may do.
    pub permissions: Permissions,
}

impl Caller {
    /// A caller of no known identity, with these permissions.
    pub fn anonymous(permissions: Permissions) -> Self {
        Self { identity: ANONYMOUS.to_owned(), permissions }
    }
}

/// Granted permissions: exact ones (`scoring.accounts.read`), those below a
/// prefix (`scoring.*`), or all (`*`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Permissions(Arc<[String]>);

impl Permissions {
    /// None.
    pub fn none() -> Self {
        Self::default()
    }

    /// All there are.
    pub fn all() -> Self {
        ["*".to_owned()].into_iter().collect()
    }

    /// Whether `permission` is granted.
    pub fn allow(&self, permission: &str) -> bool {
        self.0.iter().any(|granted| grants(granted, permission))
    }
}

impl FromIterator<String> for Permissions {
    fn from_iter<I: IntoIterator<Item = String>>(granted: I) -> Self {
        Self(granted.into_iter().collect())
    }
}

fn grants(granted: &str, permission: &str) -> bool {
    match granted.strip_suffix('*') {
        Some("") => true,
        Some(prefix) => prefix.ends_with('.') && permission.starts_with(prefix),
        None => granted == permission,
    }
}

/// The caller of a request, as the server's layer found it; without that layer
/// an anonymous caller who may do nothing.
pub fn caller<T>(request: &tonic::Request<T>) -> Caller {
    request.extensions().get::<Caller>().cloned().unwrap_or_else(|| Caller::anonymous(Permissions::none()))
}
