//! Accessors of the sender of a message.

/// Implements the accessors of a type with a field `sender`.
macro_rules! sender_accessors {
    () => {
        /// Returns the id of the sender. `None` if the sender is missing, for example in a channel post that does not
        /// show its sender.
        #[must_use]
        pub fn user_id(&self) -> Option<crate::id::UserId> {
            Some(self.sender.as_ref()?.user_id)
        }

        /// Returns the display name of the sender. `None` if the name is missing or empty.
        #[must_use]
        pub fn sender_name(&self) -> Option<&str> {
            crate::accessors::non_empty::non_empty(Some(&self.sender.as_ref()?.name))
        }

        /// Returns the username of the sender, without `@`. `None` if the username is missing.
        #[must_use]
        pub fn sender_username(&self) -> Option<&str> {
            self.sender.as_ref()?.username.as_deref()
        }
    };
}

pub(super) use sender_accessors;
