"""The sandbox: an AWS simulator whose identity pools sign users in, issue their credentials and enforce IAM."""
