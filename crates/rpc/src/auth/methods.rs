//! What each method needs, from the protos.

use std::collections::BTreeMap;

/// What a method asks of its caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requirement {
    /// Nothing.
    Public,
    /// The permission of this name.
    Permission(String),
}

/// Methods without a declared permission, or services without a descriptor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("without the option `mainstay.common.v1.permission`: {}", methods.join(", "))]
pub struct MissingPermissions {
    /// Full paths, `/package.Service/Method`.
    pub methods: Vec<String>,
}

/// The requirement of every method that a server serves.
#[derive(Debug, Clone, Default)]
pub struct MethodPermissions {
    requirements: BTreeMap<String, Requirement>,
}

impl MethodPermissions {
    /// Reads the option `mainstay.common.v1.permission` of each method of
    /// `services` (full names) from an encoded descriptor set. Health, reflection and
    /// long-running operations have fixed entries; reflection is public if `reflection_public`.
    pub fn from_descriptors(
        file_descriptor_set: &[u8],
        services: &[&str],
        reflection_public: bool,
    ) -> Result<Self, MissingPermissions> {
        let _ = (file_descriptor_set, services, reflection_public);
        todo!()
    }

    /// What the method of this path (`/package.Service/Method`) needs; `None` if it is not served.
    pub fn lookup_requirement(&self, path: &str) -> Option<&Requirement> {
        self.requirements.get(path)
    }
}
