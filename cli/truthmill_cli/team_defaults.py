"""The team where nobody names another one; apart from what works with it, which takes long to import."""

TEAM = "annotators"
ABOUT = "You label pictures for the datasets of this team."
