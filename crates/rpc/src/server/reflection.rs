//! Reflection, in both versions that clients speak, over all that is served.

use tonic::service::RoutesBuilder;
use tonic_reflection::server::Builder;

use super::StartError;

/// The names of the reflection services.
pub(super) const SERVICES: [&str; 2] =
    ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"];

/// The descriptors of all that is served.
pub(super) const DESCRIPTOR_SETS: [&[u8]; 4] = [
    mainstay_api::FILE_DESCRIPTOR_SET,
    tonic_health::pb::FILE_DESCRIPTOR_SET,
    tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
    tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
];

/// Adds both services.
pub(super) fn add(routes: &mut RoutesBuilder) -> Result<(), StartError> {
    let fault = |error: tonic_reflection::server::Error| StartError::Descriptors(error.to_string());
    routes.add_service(described().build_v1().map_err(fault)?);
    routes.add_service(described().build_v1alpha().map_err(fault)?);
    Ok(())
}

fn described<'sets>() -> Builder<'sets> {
    Builder::configure()
        .register_encoded_file_descriptor_set(mainstay_api::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}
