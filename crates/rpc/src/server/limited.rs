//! Message limits for generated servers.
//!
//! The generated types share no trait for their limits, so a macro sets them.
//! The layers enforce the same limits on the wire whether or not it was used; a service
//! without it keeps tonic's own limit of 4 MiB for what it receives.

#[doc(hidden)]
pub use tonic::codec::CompressionEncoding;

/// Sets a generated server's message limits and compression from [`crate::server::Limits`]:
/// `limited!(AccountServiceServer::new(service), &settings.limits)`.
#[macro_export]
macro_rules! limited {
    ($service:expr, $limits:expr) => {{
        let limits: &$crate::server::Limits = $limits;
        let service = $service
            .max_decoding_message_size(limits.message_bytes_max)
            .max_encoding_message_size(limits.message_bytes_max);
        if limits.gzip {
            service
                .accept_compressed($crate::server::CompressionEncoding::Gzip)
                .send_compressed($crate::server::CompressionEncoding::Gzip)
        } else {
            service
        }
    }};
}
