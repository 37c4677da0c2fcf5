//! Who calls. The server finds out before the handler runs; handlers read it from the request.

use std::sync::Arc;

use tonic::Request;

use super::policy::{Policy, Roles};
use crate::problem::{Kind, Problem};

/// How a caller was known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// Nobody is asked: the listener is on loopback, or somebody said that the network is enough.
    Nothing,
    /// The certificate of the connection.
    Certificate,
    /// A bearer token.
    Token,
}

/// Who calls, and what they may do: an extension of every served request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// A person by the name that tokens give them, or a machine by the name of its certificate; empty when unknown.
    pub name: Arc<str>,
    /// What they are, by the settings.
    pub roles: Roles,
    /// How they were known.
    pub via: Via,
    /// The method is open to them only for what is theirs.
    pub own_only: bool,
}

impl Caller {
    /// Somebody about whom nothing is asked and to whom nothing is refused.
    pub fn unasked(name: Option<Arc<str>>) -> Self {
        Self {
            name: name.unwrap_or_default(),
            roles: Roles::default(),
            via: Via::Nothing,
            own_only: false,
        }
    }

    /// True for the service called `name`, and for everybody where nobody is asked.
    pub fn is_service(&self, name: &str) -> bool {
        self.via == Via::Nothing || self.roles.meets(Policy::shipped().service(name))
    }

    /// True for a service of Upswell, which acts for itself and not for a person.
    pub fn is_any_service(&self) -> bool {
        let policy = Policy::shipped();
        policy.names(self.roles).iter().any(|name| name.starts_with("service:"))
    }
}

/// The caller of `request`; without a server (a test that calls a handler) somebody unasked.
pub fn caller<T>(request: &Request<T>) -> Caller {
    let known = request.extensions().get::<Caller>().cloned();
    known.unwrap_or_else(|| Caller::unasked(None))
}

/// What a caller may do with one object, to be asked once it is known whose it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach(Option<Arc<str>>);

impl Reach {
    /// How far the caller of `request` reaches with the method that they called.
    pub fn of<T>(request: &Request<T>) -> Self {
        let caller = request.extensions().get::<Caller>().filter(|caller| caller.own_only);
        Self(caller.map(|caller| Arc::clone(&caller.name)))
    }

    /// Whose things they may touch; `None` means everybody's.
    pub fn only(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// Nothing when what belongs to any of `owners` is in reach. Errors: PERMISSION_DENIED `NOT_YOURS`.
    pub fn check(&self, owners: &[&str]) -> Result<(), Problem> {
        match self.only() {
            Some(name) if name.is_empty() || !owners.contains(&name) => {
                let text = "this belongs to somebody else, and you may do this only with what is yours";
                Err(Problem::new(Kind::PermissionDenied, "NOT_YOURS", text))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(own_only: bool, name: &str) -> Request<()> {
        let mut request = Request::new(());
        request.extensions_mut().insert(Caller {
            name: name.into(),
            roles: Roles::default(),
            via: Via::Token,
            own_only,
        });
        request
    }

    #[test]
    fn what_is_somebody_elses_is_out_of_reach() {
        for (own_only, name, owners, within) in [
            (true, "anna", &["anna"][..], true),
            (true, "anna", &["boris", "anna"], true),
            (true, "anna", &["boris"], false),
            (true, "anna", &[], false),
            (true, "", &[""], false),
            (false, "anna", &["boris"], true),
        ] {
            let reach = Reach::of(&request(own_only, name));
            assert_eq!(reach.check(owners).is_ok(), within, "{own_only} {name} {owners:?}");
        }
        assert!(Reach::of(&Request::new(())).check(&["boris"]).is_ok());
    }
}
