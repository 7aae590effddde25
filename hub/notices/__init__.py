"""The one way to tell somebody something: an in-app list that holds everything, mail and Web Push as couriers."""
