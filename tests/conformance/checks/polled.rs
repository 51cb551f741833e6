//! Helpers that poll the updates of a bot.

use tamtam::Update;

use crate::place::Place;

/// Returns the updates since the last call, and commits them.
pub(super) async fn updates(place: &Place) -> Vec<Update> {
    let api = place.bot.api();
    let page = api.get_updates().timeout(0).limit(1000).await.unwrap();
    api.get_updates().timeout(0).marker(page.marker.unwrap()).await.unwrap();
    page.updates
}

/// Returns the types of these updates.
pub(super) fn kinds(updates: &[Update]) -> Vec<&str> {
    updates.iter().map(Update::tag).collect()
}
