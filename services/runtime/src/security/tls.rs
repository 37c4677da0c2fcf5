//! TLS 1.3 and nothing older, with ring, from PEM files. Sessions are not resumed: a certificate is shown, and checked,
//! with every connection.

use std::sync::Arc;

use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    client::Resumption,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{NoServerSessionStorage, WebPkiClientVerifier},
    version::TLS13,
};

use super::{
    caller::{Caller, Via},
    files::Files,
    policy::{Policy, Roles},
    settings::SecuritySettings,
};

const HTTP2: &[u8] = b"h2";

/// Certificate chain and key of this process.
type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// What connections are made and taken with.
#[derive(Clone, Debug, Default)]
pub(super) struct Configs {
    pub(super) server: Option<Arc<ServerConfig>>,
    pub(super) client: Option<Arc<ClientConfig>>,
}

/// Builds both sides from the content of the files; what is wrong with them otherwise.
pub(super) fn configs(settings: &SecuritySettings, files: &Files) -> Result<Configs, String> {
    let roots = files.ca.as_deref().map(roots).transpose()?;
    let server = match &files.identity {
        Some((cert, key)) => Some(Arc::new(server(settings, identity(cert, key)?, roots.clone())?)),
        None => None,
    };
    let client = match roots {
        Some(roots) => {
            let own = files.identity.as_ref().map(|(cert, key)| identity(cert, key));
            Some(Arc::new(client(roots, own.transpose()?)?))
        }
        None => None,
    };
    Ok(Configs { server, client })
}

fn server(
    settings: &SecuritySettings,
    (chain, key): Identity,
    roots: Option<Arc<RootCertStore>>,
) -> Result<ServerConfig, String> {
    let builder = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .map_err(told)?;
    let builder = match roots {
        Some(roots) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider());
            let verifier = if settings.tls.require_client_cert {
                verifier
            } else {
                verifier.allow_unauthenticated()
            };
            builder.with_client_cert_verifier(verifier.build().map_err(|fault| format!("ca_file: {fault}"))?)
        }
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, key).map_err(told)?;
    config.alpn_protocols = vec![HTTP2.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

fn client(roots: Arc<RootCertStore>, own: Option<Identity>) -> Result<ClientConfig, String> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .map_err(told)?
        .with_root_certificates(roots);
    let mut config = match own {
        Some((chain, key)) => builder.with_client_auth_cert(chain, key).map_err(told)?,
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![HTTP2.to_vec()];
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// For an address outside: what a browser would accept, but only from `roots`.
pub(super) fn outward(roots: Arc<RootCertStore>) -> Result<ClientConfig, rustls::Error> {
    let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn identity(cert: &str, key: &str) -> Result<Identity, String> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(cert.as_bytes()).collect();
    let chain = chain.map_err(|fault| format!("cert_file: {fault}"))?;
    if chain.is_empty() {
        return Err("cert_file: holds no certificate".to_owned());
    }
    // The fault of a key could quote it.
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| "key_file: holds no private key".to_owned())?;
    Ok((chain, key))
}

/// The authorities of a PEM file.
pub(super) fn roots(ca: &str) -> Result<Arc<RootCertStore>, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca.as_bytes()) {
        let certificate = certificate.map_err(|fault| format!("ca_file: {fault}"))?;
        roots.add(certificate).map_err(|fault| format!("ca_file: {fault}"))?;
    }
    if roots.is_empty() {
        return Err("ca_file: holds no certificate".to_owned());
    }
    Ok(Arc::new(roots))
}

fn told(fault: rustls::Error) -> String {
    format!("cert_file, key_file: {fault}")
}

/// Who shows a certificate that was verified: the first of its names that the settings know, with the roles of all.
pub(super) fn holder(certificate: &CertificateDer<'_>, settings: &SecuritySettings) -> Option<Caller> {
    let certificate = webpki::EndEntityCert::try_from(certificate).ok()?;
    let names: Vec<&str> = certificate
        .valid_uri_names()
        .chain(certificate.valid_dns_names())
        .collect();
    let known = || {
        names
            .iter()
            .filter_map(|name| settings.certificates.get_key_value(*name))
    };
    let roles = known().fold(Roles::default(), |roles, (_, given)| {
        roles.and(Policy::shipped().roles(given).unwrap_or_default())
    });
    let name = known()
        .next()
        .map_or_else(|| names.first().copied().unwrap_or_default(), |(name, _)| name);
    Some(Caller {
        name: name.into(),
        roles,
        via: Via::Certificate,
        own_only: false,
    })
}
