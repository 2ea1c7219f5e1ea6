DROP TABLE quiet_hours;
DROP TABLE notification_preferences;
DROP TABLE notifications;
