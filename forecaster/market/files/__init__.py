"""Price files of every dialect: bytes to rows, rows to columns, columns to bars."""
