"""Children, care rooms, roster, the ratio engine and the quarters that it guards."""
