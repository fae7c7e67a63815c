"""Moving users between Regions: the operator's switch, and rehearsals of losing a Region."""
