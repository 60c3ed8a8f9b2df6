"""What people and scripts read: tables, documents, progress."""
