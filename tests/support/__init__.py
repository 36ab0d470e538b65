"""What tests share: real servers, and readers that owe nothing to migrator."""
