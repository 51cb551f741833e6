//! Reads the settings of a bot from environment variables.

use std::env::VarError;

use crate::{
    error::{Error, Result},
    service::Service,
};

/// Reads an environment variable. `None` if it is not set.
fn variable(name: &str) -> Result<Option<String>> {
    match std::env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(Error::build(format!("the environment variable {name} is not UTF-8"))),
    }
}

/// Returns the name of an environment variable of a service.
fn variable_name(service: &Service, what: &str) -> String {
    format!("{}_{what}", service.name().to_ascii_uppercase())
}

/// Returns the only service whose token is set, and the token.
pub(super) fn service() -> Result<(Service, String)> {
    // A blank variable counts as not set if the other one has a token.
    let (mut found, mut blank) = (None, None);
    for service in Service::ALL {
        let name = variable_name(&service, "TOKEN");
        let Some(token) = variable(&name)? else { continue };
        if token.trim().is_empty() {
            blank = Some((service, token));
            continue;
        }
        if let Some((other, _)) = &found {
            let other = variable_name(other, "TOKEN");
            return Err(Error::build(format!("both {other} and {name} are set: unset the one that you do not use")));
        }
        found = Some((service, token));
    }
    found.or(blank).ok_or_else(|| {
        let names = Service::ALL.map(|service| variable_name(&service, "TOKEN"));
        Error::build(format!("neither {} is set: set one of them to the token of the bot", names.join(" nor ")))
    })
}

/// Returns the base URL that is set for a service, if it is set.
pub(super) fn base_url(service: &Service) -> Result<Option<String>> {
    Ok(variable(&variable_name(service, "BASE_URL"))?.filter(|url| !url.trim().is_empty()))
}
