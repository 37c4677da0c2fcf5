//! The files that credentials come from. They are read whole each time: a mounted Secret changes by a symbolic link, which
//! leaves times and watchers behind.

use std::{fs, path::Path};

use ring::digest::{Context, SHA256};

use super::settings::SecuritySettings;
use crate::problem::Violations;

/// No credential is longer; a wrong path must not fill the memory.
const FILE_MAX: u64 = 1 << 20;

/// What the files hold at one moment.
#[derive(Default)]
pub(super) struct Files {
    /// Certificate and key.
    pub(super) identity: Option<(String, String)>,
    pub(super) ca: Option<String>,
    pub(super) token: Option<String>,
    /// Of each issuer, in the order of the settings.
    pub(super) issuers: Vec<IssuerFiles>,
}

/// What belongs to one issuer.
#[derive(Default)]
pub(super) struct IssuerFiles {
    pub(super) jwks: Option<String>,
    /// Authorities for the address of the key set.
    pub(super) ca: Option<String>,
}

impl Files {
    /// Reads everything that the settings name; notes every file that cannot be read.
    pub(super) fn read(settings: &SecuritySettings, violations: &mut Violations) -> Self {
        let tls = &settings.tls;
        let mut file = |field: &str, path: &str| {
            let wanted = !path.is_empty();
            wanted.then(|| violations.take(field, read(path)).unwrap_or_default())
        };
        Self {
            identity: file("tls.cert_file", &tls.cert_file).zip(file("tls.key_file", &tls.key_file)),
            ca: file("tls.ca_file", &tls.ca_file),
            token: file("token_file", &settings.token_file).map(|token| token.trim().to_owned()),
            issuers: settings
                .issuers
                .iter()
                .map(|(name, issuer)| IssuerFiles {
                    jwks: file(&format!("issuers.{name}.jwks_file"), &issuer.jwks_file),
                    ca: file(&format!("issuers.{name}.jwks_ca_file"), &issuer.jwks_ca_file),
                })
                .collect(),
        }
    }

    /// Changes when any of the files does.
    pub(super) fn digest(&self) -> Vec<u8> {
        let mut context = Context::new(&SHA256);
        let (cert, key) = self.identity.as_ref().map_or(("", ""), |(cert, key)| (cert, key));
        let rest = [
            cert,
            key,
            self.ca.as_deref().unwrap_or_default(),
            self.token.as_deref().unwrap_or_default(),
        ];
        let issuers = self.issuers.iter().flat_map(|files| [&files.jwks, &files.ca]);
        let issuers = issuers.map(|text| text.as_deref().unwrap_or_default());
        for text in rest.into_iter().chain(issuers) {
            context.update(&(text.len() as u64).to_be_bytes());
            context.update(text.as_bytes());
        }
        context.finish().as_ref().to_vec()
    }
}

fn read(path: &str) -> Result<String, String> {
    let told = |fault: std::io::Error| format!("{path}: {fault}");
    if fs::metadata(Path::new(path)).map_err(told)?.len() > FILE_MAX {
        return Err(format!("{path}: is larger than a credential can be"));
    }
    fs::read_to_string(path).map_err(told)
}
