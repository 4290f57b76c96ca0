"""console — pages for people: holds routes, forms and templates; it must never see a rule, a table or a private key."""
