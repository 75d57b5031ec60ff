"""The page that draws a digit and follows it through the network, and the server that hands it out."""
