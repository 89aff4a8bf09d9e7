"""What the rows of the bench are made with: processes measured, servers, links, clients, and the report."""
