"""What the community does. One public function = one transaction = rows + timeline + audit + outbox."""
