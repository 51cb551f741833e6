//! The sandbox of MAX: its differences from TamTam.

mod admins;
mod answers;
mod auth;
mod chats;
mod comments;
mod control;
mod dialogs;
mod keyboards;
mod limits;
mod markup;
mod members;
mod messages;
mod mini_apps;
mod pollers;
mod profile;
mod program;
mod redelivery;
mod settles;
mod state_file;
mod strict;
mod tls;
mod uploads;
mod webhooks;

use tamtam::Service;
use tamtam::types::ChatAdminPermission;
use tamtam_sandbox::{Group, Person, SandboxBuilder};

use crate::client::{self, Api};
use crate::conformance::Checked;

/// Returns a builder of a sandbox of MAX without limits.
fn unlimited() -> SandboxBuilder {
    client::unlimited(&Service::Max)
}

/// A sandbox of MAX without limits, a client, and Alice in an open dialog.
async fn dialog() -> (Checked, Api, Person) {
    client::dialog_on(unlimited()).await
}

/// Makes the bot an administrator with only these rights.
#[track_caller]
fn promote(group: &Group, rights: &[&str]) {
    group.promotes_bot_to(rights.iter().map(|right| ChatAdminPermission::from(*right)));
}
