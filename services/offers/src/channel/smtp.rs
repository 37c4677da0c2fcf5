//! E-mail over SMTP.
//!
//! What matters is where an attempt broke off. Up to the end of the DATA command nothing can have arrived, so the touch
//! may be tried again or given back; from the first byte of the message on only the server's answer tells, and without
//! one the message counts as sent. A mail server makes two mails of two attempts, so a doubtful one is never repeated.

use std::{future::Future, time::Duration};

use async_trait::async_trait;
use lettre::{
    message::Mailbox,
    transport::smtp::{
        Error,
        authentication::{Credentials, DEFAULT_MECHANISMS},
        client::{AsyncSmtpConnection, TlsParameters},
        commands::{Data, Mail, Rcpt},
        extension::{ClientId, Extension, MailParameter},
    },
};
use serde::Deserialize;
use tokio::time::timeout;
use upswell_runtime::problem::Violations;

use super::{
    Channel, DeliveryFault, Outgoing, Receipt,
    email::{Letterhead, compose},
    secrets,
};
use crate::{
    config::{ChannelSettings, SmtpSettings},
    domain::vocabulary::Channel as Way,
};

/// How the connection is kept private.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Privacy {
    /// TLS from the first byte.
    Tls,
    /// Plain first, TLS before anything is said; refused where the server cannot.
    Starttls,
    /// None: for a relay on the same machine.
    None,
}

/// A mail server.
pub struct Smtp {
    host: String,
    port: u16,
    privacy: Privacy,
    tls: Option<TlsParameters>,
    credentials: Option<Credentials>,
    hello: ClientId,
    letterhead: Letterhead,
    timeout: Duration,
}

impl Smtp {
    /// The mail server of the settings; none when no host is set. Notes everything that cannot be used.
    pub fn new(settings: &ChannelSettings, violations: &mut Violations) -> Option<Self> {
        let smtp = &settings.smtp;
        if smtp.host.is_empty() {
            return None;
        }
        let from: Option<Mailbox> = violations.take("from", smtp.from.parse());
        let reply_to = match smtp.reply_to.as_str() {
            "" => Some(None),
            address => violations.take("reply_to", address.parse()).map(Some),
        };
        let credentials = credentials(smtp, violations);
        let tls = match smtp.tls {
            Privacy::None => Some(None),
            _ => violations
                .take("host", TlsParameters::new_rustls(smtp.host.clone()))
                .map(Some),
        };
        let from = from?;
        let domain = from.email.domain().to_owned();
        Some(Self {
            host: smtp.host.clone(),
            port: smtp.port,
            privacy: smtp.tls,
            tls: tls?,
            credentials: credentials?,
            hello: ClientId::Domain(domain.clone()),
            letterhead: Letterhead {
                from,
                reply_to: reply_to?,
                domain,
            },
            timeout: settings.timeout(),
        })
    }

    /// A connection that is ready for a mail.
    async fn open(&self) -> Result<AsyncSmtpConnection, Error> {
        let wrapped = self.tls.clone().filter(|_| self.privacy == Privacy::Tls);
        let server = (self.host.as_str(), self.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, Some(self.timeout), &self.hello, wrapped, None).await?;
        if let (Privacy::Starttls, Some(tls)) = (self.privacy, &self.tls) {
            connection.starttls(tls.clone(), &self.hello).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }
}

#[async_trait]
impl Channel for Smtp {
    fn is_repeatable(&self, _way: Way) -> bool {
        false
    }

    async fn deliver(&self, outgoing: &Outgoing) -> Result<Receipt, DeliveryFault> {
        let mail = compose(outgoing, &self.letterhead).map_err(DeliveryFault::Refused)?;
        // Whatever goes wrong before a mail is named is the server's or ours, not the mail's.
        let mut connection = match timeout(self.timeout, self.open()).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(fault)) => return Err(DeliveryFault::NotSent(fault.to_string())),
            Err(_) => return Err(DeliveryFault::NotSent("the server does not answer".to_owned())),
        };
        let announced = announce(&mut connection, mail.envelope());
        before_data(self.timeout, announced).await?;
        let said = match timeout(self.timeout, connection.message(&mail.formatted())).await {
            Ok(Ok(response)) => response,
            Ok(Err(fault)) if fault.is_permanent() => return Err(DeliveryFault::Refused(fault.to_string())),
            Ok(Err(fault)) if fault.is_transient() => return Err(DeliveryFault::NotSent(fault.to_string())),
            Ok(Err(fault)) => return Err(DeliveryFault::Unknown(fault.to_string())),
            Err(_) => return Err(DeliveryFault::Unknown("no answer after the message".to_owned())),
        };
        // The mail is taken; a server that does not say goodbye changes nothing.
        drop(timeout(self.timeout, connection.quit()).await);
        Ok(Receipt {
            reference: said.first_line().unwrap_or_default().chars().take(200).collect(),
        })
    }
}

/// Sender, recipient, and that a message follows.
async fn announce(connection: &mut AsyncSmtpConnection, envelope: &lettre::address::Envelope) -> Result<(), Error> {
    let mut parameters = Vec::new();
    let is_plain = |address: &lettre::Address| AsRef::<str>::as_ref(address).is_ascii();
    if !envelope.from().into_iter().chain(envelope.to()).all(is_plain)
        && connection.server_info().supports_feature(Extension::SmtpUtfEight)
    {
        parameters.push(MailParameter::SmtpUtfEight);
    }
    connection
        .command(Mail::new(envelope.from().cloned(), parameters))
        .await?;
    for to in envelope.to() {
        connection.command(Rcpt::new(to.clone(), Vec::new())).await?;
    }
    connection.command(Data).await?;
    Ok(())
}

/// Nothing has arrived: only the kind of refusal matters.
async fn before_data(limit: Duration, step: impl Future<Output = Result<(), Error>>) -> Result<(), DeliveryFault> {
    match timeout(limit, step).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(fault)) if fault.is_permanent() => Err(DeliveryFault::Refused(fault.to_string())),
        Ok(Err(fault)) => Err(DeliveryFault::NotSent(fault.to_string())),
        Err(_) => Err(DeliveryFault::NotSent("the server does not answer".to_owned())),
    }
}

/// User and password; `Some(None)` where the server asks for none.
fn credentials(smtp: &SmtpSettings, violations: &mut Violations) -> Option<Option<Credentials>> {
    if smtp.user.is_empty() {
        return Some(None);
    }
    let password = secrets::read("password_file", &smtp.password_file, violations)?;
    Some(Some(Credentials::new(smtp.user.clone(), password.expose().to_owned())))
}
