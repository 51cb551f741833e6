//! The TLS configuration that bots share.
//!
//! Reading and parsing the system's root certificates takes nearly all the time and memory that a bot needs. Only the
//! configuration and its resumable TLS sessions are shared. Connections are not shared: each one ends with the runtime
//! that opened it.

use reqwest::ClientBuilder;

#[cfg(not(any(feature = "rustls", feature = "native-tls")))]
use crate::error::Result;

#[cfg(any(feature = "rustls", feature = "native-tls"))]
pub(crate) use with_tls::share;

/// Does nothing: without TLS there is no configuration.
#[cfg(not(any(feature = "rustls", feature = "native-tls")))]
pub(crate) fn share(http: ClientBuilder, _: Option<&str>) -> Result<ClientBuilder> {
    Ok(http)
}

#[cfg(any(feature = "rustls", feature = "native-tls"))]
mod with_tls {
    use std::sync::{Mutex, PoisonError};

    use super::ClientBuilder;
    use crate::error::{BoxError, Error, Result};

    // With both features, `reqwest` uses the TLS library of the system by default.
    #[cfg(feature = "native-tls")]
    type Config = native_tls::TlsConnector;
    #[cfg(not(feature = "native-tls"))]
    type Config = rustls::ClientConfig;

    /// The supported HTTP versions, in order of preference.
    const ALPN: [&str; 2] = ["h2", "http/1.1"];

    /// Sets the shared configuration, which replaces all TLS settings of the builder. Bots with the same `certificate`
    /// share one configuration.
    ///
    /// `certificate`: PEM text of a certificate to trust in addition to the certificates of the platform.
    ///
    /// If the configuration fails and `certificate` is `None`, the HTTP client creates its own configuration, and
    /// reports the error.
    pub(crate) fn share(http: ClientBuilder, certificate: Option<&str>) -> Result<ClientBuilder> {
        static SHARED: Mutex<Vec<(Option<String>, Config)>> = Mutex::new(Vec::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, config)) = shared.iter().find(|(known, _)| known.as_deref() == certificate) {
            return Ok(http.tls_backend_preconfigured(config.clone()));
        }
        // A failure is not cached: the next bot may succeed.
        match (configure(certificate), certificate) {
            (Ok(config), _) if is_accepted(&config) => {
                shared.push((certificate.map(str::to_owned), config.clone()));
                Ok(http.tls_backend_preconfigured(config))
            }
            (_, None) => Ok(http),
            (Ok(_), Some(_)) => Err(unusable(&"the HTTP client uses another version of the TLS library")),
            (Err(error), Some(_)) => Err(unusable(&error)),
        }
    }

    fn unusable(problem: &dyn std::fmt::Display) -> Error {
        Error::build(format!(
            "the certificate of the service cannot be trusted: {problem}; add a certificate with `root_certificates`, or \
             call `trust_service(false)`"
        ))
    }

    /// Returns whether `reqwest` accepts the configuration. It rejects another version of its TLS library.
    fn is_accepted(config: &Config) -> bool {
        ClientBuilder::new().tls_backend_preconfigured(config.clone()).build().is_ok()
    }

    /// Returns the configuration that `reqwest` sets up by default, with the certificate added if there is one.
    #[cfg(feature = "native-tls")]
    fn configure(certificate: Option<&str>) -> Result<Config, BoxError> {
        let mut config = Config::builder();
        config.request_alpns(&ALPN);
        if let Some(pem) = certificate {
            let certificates = native_tls::Certificate::stack_from_pem(pem.as_bytes())?;
            if certificates.is_empty() {
                return Err("no certificate found".into());
            }
            for certificate in certificates {
                config.add_root_certificate(certificate);
            }
        }
        Ok(config.build()?)
    }

    /// Returns the configuration that `reqwest` sets up by default, with the certificate added if there is one.
    #[cfg(not(feature = "native-tls"))]
    fn configure(certificate: Option<&str>) -> Result<Config, BoxError> {
        use std::sync::Arc;

        use rustls::{
            crypto::{CryptoProvider, aws_lc_rs},
            pki_types::{CertificateDer, pem::PemObject as _},
        };
        use rustls_platform_verifier::Verifier;

        let provider = CryptoProvider::get_default().cloned();
        let provider = provider.unwrap_or_else(|| aws_lc_rs::default_provider().into());
        let verifier = match certificate {
            None => Verifier::new(provider.clone())?,
            #[cfg(not(target_os = "android"))]
            Some(pem) => {
                let certificates = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>();
                let certificates = certificates.map_err(|error| format!("not PEM: {error:?}"))?;
                if certificates.is_empty() {
                    return Err("no certificate found".into());
                }
                Verifier::new_with_extra_roots(certificates, provider.clone())?
            }
            #[cfg(target_os = "android")]
            Some(_) => return Err("Android supports only the certificates of the system".into()),
        };
        let config = Config::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let config = config.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
        let mut config = config.with_no_client_auth();
        config.alpn_protocols = ALPN.map(Into::into).into();
        Ok(config)
    }
}
