"""Feature stores: a private Feast store from declarations, the join as of the moment asked, the online store."""
