"""What an account costs a month: prices and quantities as data, and the tables made from them."""
