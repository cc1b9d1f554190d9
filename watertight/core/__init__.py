"""The contracts: rows, time, tables, digests, witness, declarations, errors. Knows no workload and imports no other part."""
