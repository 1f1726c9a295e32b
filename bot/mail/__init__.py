"""E-mail: what approvers are asked and told in their mailboxes. Answers come through the pages that mails link to."""
