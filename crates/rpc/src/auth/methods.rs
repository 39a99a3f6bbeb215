//! What each method needs, from the protos.

use std::collections::HashMap;

use prost_reflect::{DescriptorPool, ExtensionDescriptor, MethodDescriptor};

const OPTION: &str = "mainstay.common.v1.permission";
const PUBLIC: &str = "public";
const REFLECTION: &str = "reflection.read";

/// Methods of protos that are not ours.
const FIXED: [(&str, &str); 10] = [
    ("/grpc.health.v1.Health/Check", PUBLIC),
    ("/grpc.health.v1.Health/List", PUBLIC),
    ("/grpc.health.v1.Health/Watch", PUBLIC),
    ("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", REFLECTION),
    ("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", REFLECTION),
    ("/google.longrunning.Operations/CancelOperation", "operations.cancel"),
    ("/google.longrunning.Operations/DeleteOperation", "operations.cancel"),
    ("/google.longrunning.Operations/GetOperation", "operations.read"),
    ("/google.longrunning.Operations/ListOperations", "operations.read"),
    ("/google.longrunning.Operations/WaitOperation", "operations.read"),
];

/// What a method asks of its caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requirement {
    /// Nothing.
    Public,
    /// The permission of this name.
    Permission(String),
}

/// Methods whose permission is not known; a server does not start with any.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("each method must say which permission it needs: {}", faults.join("; "))]
pub struct MissingPermissions {
    /// One sentence a method without the option, or a service without a descriptor.
    pub faults: Vec<String>,
}

/// The requirement of every method that a server serves.
#[derive(Debug, Clone, Default)]
pub struct MethodPermissions {
    requirements: HashMap<String, Requirement>,
}

impl MethodPermissions {
    /// Reads the option `mainstay.common.v1.permission` of each method of
    /// `services` (full names) from an encoded descriptor set.
    ///
    /// Health is public; reflection needs `reflection.read` unless
    /// `reflection_public`; long-running operations need `operations.read` or, to cancel or
    /// delete them, `operations.cancel`. These three need not be in the set.
    pub fn from_descriptors(
        file_descriptor_set: &[u8],
        services: &[&str],
        reflection_public: bool,
    ) -> Result<Self, MissingPermissions> {
        let pool = DescriptorPool::decode(file_descriptor_set).map_err(|error| MissingPermissions {
            faults: vec![format!("the descriptor set cannot be read: {error}")],
        })?;
        let option = pool.get_extension_by_name(OPTION);
        let mut requirements = fixed(reflection_public);
        let mut faults = Vec::new();
        for service_name in services.iter().filter(|name| !is_fixed(name)) {
            let Some(service) = pool.get_service_by_name(service_name) else {
                faults.push(format!("the service {service_name} is not in the descriptor set"));
                continue;
            };
            for method in service.methods() {
                let path = format!("/{service_name}/{}", method.name());
                match declared(&method, option.as_ref()) {
                    Some(permission) => {
                        requirements.insert(path, requirement(&permission));
                    }
                    None => faults.push(format!("{path} has no option ({OPTION})")),
                }
            }
        }
        if faults.is_empty() { Ok(Self { requirements }) } else { Err(MissingPermissions { faults }) }
    }

    /// What the method of this path (`/package.Service/Method`) needs; `None` if it is not served.
    pub fn lookup_requirement(&self, path: &str) -> Option<&Requirement> {
        self.requirements.get(path)
    }
}

fn fixed(reflection_public: bool) -> HashMap<String, Requirement> {
    FIXED
        .into_iter()
        .map(|(path, permission)| {
            let is_public = permission == REFLECTION && reflection_public;
            (path.to_owned(), if is_public { Requirement::Public } else { requirement(permission) })
        })
        .collect()
}

fn is_fixed(service_name: &str) -> bool {
    FIXED.iter().any(|(path, _)| {
        path.strip_prefix('/').and_then(|path| path.split_once('/')).is_some_and(|(service, _)| service == service_name)
    })
}

fn requirement(permission: &str) -> Requirement {
    if permission == PUBLIC { Requirement::Public } else { Requirement::Permission(permission.to_owned()) }
}

fn declared(method: &MethodDescriptor, option: Option<&ExtensionDescriptor>) -> Option<String> {
    let value = method.options().get_extension(option?).into_owned();
    value.as_str().filter(|permission| !permission.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use mainstay_api::FILE_DESCRIPTOR_SET;
    use prost::Message;
    use prost_types::FileDescriptorSet;

    use super::*;

    fn needs(permission: &str) -> Requirement {
        Requirement::Permission(permission.to_owned())
    }

    #[test]
    fn each_method_of_the_protos_declares_its_permission() {
        let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("descriptors");
        let services: Vec<String> = pool.services().map(|service| service.full_name().to_owned()).collect();
        let names: Vec<&str> =
            services.iter().map(String::as_str).filter(|name| name.starts_with("mainstay.")).collect();
        assert!(names.len() >= 5, "{names:?}");
        let methods = MethodPermissions::from_descriptors(FILE_DESCRIPTOR_SET, &names, false).expect("all declared");
        let lookup = |path: &str| methods.lookup_requirement(path).cloned();
        assert_eq!(
            lookup("/mainstay.scoring.v1.HealthService/RecomputeHealth"),
            Some(needs("scoring.health.recompute"))
        );
        assert_eq!(lookup("/mainstay.events.v1.EventFeedService/Subscribe"), Some(needs("events.read")));
        assert_eq!(lookup("/mainstay.scoring.v1.HealthService/NoSuchMethod"), None);
    }

    #[test]
    fn health_is_public_and_the_others_of_google_are_not() {
        let services =
            ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "google.longrunning.Operations"];
        for reflection_public in [true, false] {
            let methods = MethodPermissions::from_descriptors(FILE_DESCRIPTOR_SET, &services, reflection_public)
                .expect("fixed entries");
            let lookup = |path: &str| methods.lookup_requirement(path).cloned();
            assert_eq!(lookup("/grpc.health.v1.Health/Watch"), Some(Requirement::Public));
            assert_eq!(lookup("/google.longrunning.Operations/GetOperation"), Some(needs("operations.read")));
            assert_eq!(lookup("/google.longrunning.Operations/CancelOperation"), Some(needs("operations.cancel")));
            let reflection = lookup("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo");
            assert_eq!(
                reflection,
                if reflection_public { Some(Requirement::Public) } else { Some(needs("reflection.read")) }
            );
        }
    }

    #[test]
    fn every_method_without_a_permission_is_named() {
        // prost_types does not keep extensions: read and written again, the set has no permissions.
        let bare = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).expect("descriptors").encode_to_vec();
        let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("descriptors");
        let service = pool.get_service_by_name("mainstay.scoring.v1.ModelService").expect("the service");
        let names: Vec<String> = service.methods().map(|method| method.name().to_owned()).collect();
        let error = MethodPermissions::from_descriptors(
            &bare,
            &["mainstay.scoring.v1.ModelService", "mainstay.none.v1.NoService"],
            true,
        )
        .expect_err("without options");
        assert_eq!(error.faults.len(), names.len() + 1, "{error}");
        for name in names {
            assert!(error.to_string().contains(&format!("/mainstay.scoring.v1.ModelService/{name} has no option")));
        }
        assert!(error.to_string().contains("mainstay.none.v1.NoService is not in the descriptor set"));
    }
}
