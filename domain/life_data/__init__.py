"""What is shipped for households: kinds of facts, and rules of life events as drafts."""
